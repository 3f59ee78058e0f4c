from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand

from investigations import access


class Command(BaseCommand):
    help = "Make the roles, and the account in whose name the machine acts. Repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        for role in access.ROLES:
            Group.objects.get_or_create(name=role)
        access.system_account()
        self.stdout.write(f"Roles: {', '.join(access.ROLES)}.")
