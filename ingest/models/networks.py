"""What is known of the networks that addresses belong to."""

from django.db import models


class AutonomousSystem(models.Model):
    """The name of a network operator's number, as a plugged-in table tells it."""

    asn = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=256)
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"AS{self.asn} {self.name}"


class AddressTable(models.Model):
    """A table of countries or autonomous systems that was in use, and since when.

    So that it can be said which table told where an event came from: the one that was
    first used last before the event was received.
    """

    setting = models.CharField(max_length=16)
    file_name = models.CharField(max_length=256)
    built_at = models.DateTimeField()
    size = models.BigIntegerField()
    first_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["setting", "file_name", "built_at", "size"],
                name="address_table_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} of {self.built_at:%Y-%m-%d}"
