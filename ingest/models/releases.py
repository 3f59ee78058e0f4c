"""When models came out."""

from django.db import models


class ModelRelease(models.Model):
    model = models.CharField(max_length=256, unique=True)
    released_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.model
