"""Prompt skeletons that several accounts use."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Template(models.Model):
    """A masked skeleton that three or more accounts have sent, for people to read.

    Numbers, quotes, addresses, names and code are masked before it is stored; what
    is left is still a customer's wording, so pages hide it until a reason is given.
    """

    skeleton_hash = models.BigIntegerField(primary_key=True)
    text = models.CharField(max_length=500)
    first_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.skeleton_hash}"


class TemplateCandidate(models.Model):
    """A skeleton that somebody has sent, without its wording.

    Counts to three, so that nobody's own words are kept because one person used them,
    and says by its sketch and embedding (ingest/fingerprints.py) what it is like: both
    follow from the masked text, so it does not matter who sent it first. Empty where
    a gateway sent neither.
    """

    skeleton_hash = models.BigIntegerField(primary_key=True)
    account_ids = ArrayField(models.BigIntegerField())
    seen_on = models.DateField()
    sketch = models.BinaryField(max_length=60, null=True)
    embedding = models.BinaryField(max_length=96, null=True)

    def __str__(self) -> str:
        return f"{self.skeleton_hash}: {len(self.account_ids)}"
