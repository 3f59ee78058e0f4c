"""Where decisions are delivered."""

from django.db import models


class Endpoint(models.Model):
    """The platform's webhook. The signing secret is kept encrypted.

    Two secrets sign during a rotation: the old one until `previous_until`.
    """

    name = models.CharField(max_length=128, unique=True)
    url = models.CharField(max_length=2048)
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # One platform receives each effect; more would need one outbox row each.
            models.UniqueConstraint(
                fields=["active"],
                name="one_active_endpoint",
                condition=models.Q(active=True),
            )
        ]

    def __str__(self) -> str:
        return self.name
