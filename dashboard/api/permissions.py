from django.contrib.auth.models import User
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from dashboard.api.authentication import KeyHolder
from investigations import access


class MayRead(BasePermission):
    """A key with the `read` scope, or a person who may view."""

    message = "Your role may not read findings."

    def has_permission(self, request: Request, view: object) -> bool:
        reader: object = request.user
        if isinstance(reader, KeyHolder):
            return True
        return isinstance(reader, User) and access.can(reader, access.VIEW)
