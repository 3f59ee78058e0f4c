"""What ties accounts, and values that many share."""

from django.db import models

from ingest.models import Account, Indicator


class Link(models.Model):
    """Two accounts tied together; `account_a` has the smaller id."""

    account_a = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    account_b = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    # Probability of a common operator, 0-1, from all shared indicators together.
    weight = models.FloatField()
    families = models.IntegerField()
    # [{kind, indicator, value, weight, shared_by}] in falling order of weight.
    evidence = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_a", "account_b"], name="link_pair"
            ),
            models.CheckConstraint(
                condition=models.Q(account_a__lt=models.F("account_b")),
                name="link_pair_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_a_id} ~ {self.account_b_id}"


class IndicatorProfile(models.Model):
    """How widely an indicator is shared, whether it makes links at all, and, where many
    share it, how alike these are (profiles.py)."""

    class Reading(models.TextChoices):
        POOL = "pool", "reads like one pool"
        DIVERSE = "diverse", "reads like unrelated people"
        UNCLEAR = "unclear", "cannot tell"

    indicator = models.OneToOneField(
        Indicator, on_delete=models.CASCADE, related_name="profile"
    )
    accounts = models.IntegerField()
    organizations = models.IntegerField()
    # More organisations than the cap of its kind: kept and shown, makes no links.
    hub = models.BooleanField(default=False)
    # On the rules' list of public programs: makes no links and no evidence.
    listed = models.BooleanField(default=False)
    # A place shared by all sorts of customers: its links are worth a twentieth.
    crowded = models.BooleanField(default=False)
    # Who stands behind it, where that was looked at: Profile.as_json of profiles.py,
    # 0 as everywhere to 1 all the same, and what that reads like.
    crowd = models.JSONField(null=True)
    likeness = models.FloatField(null=True)
    reading = models.CharField(max_length=8, choices=Reading, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["-likeness", "id"],
                condition=models.Q(likeness__isnull=False),
                name="indicator_by_likeness",
            )
        ]

    def __str__(self) -> str:
        return f"{self.indicator} ({self.accounts} accounts)"
