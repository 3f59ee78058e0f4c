"""What has to be known to take a sender's records out again, and orders to do it."""

from django.db import models

from ingest.models.sources import IngestKey


class EventRepeat(models.Model):
    """A record that came first with one key, and again with another.

    Only the first copy is stored. Once it is taken out the other has its place, so
    it is noted that there was one: with the same content, or with other content that
    `line` of the batch's kept lines holds. Copies sent by the same key are not noted.
    """

    digest = models.UUIDField()
    batch_id = models.BigIntegerField()
    line = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest", "batch_id"], name="event_repeat")
        ]

    def __str__(self) -> str:
        return f"{self.digest} again in {self.batch_id}"


class ReleaseRecord(models.Model):
    """One `model_release` record as it was told: what a release's time is made of."""

    model = models.CharField(max_length=256, db_index=True)
    # Empty for what was known before records were kept.
    batch_id = models.BigIntegerField(null=True, db_index=True)
    released_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model} in {self.batch_id}"


class TakeBack(models.Model):
    """An order to take everything out that some batches brought, as if never sent.

    `position` is the day whose records were taken out last; what is done twice does
    no harm, so that an order that was cut off goes on where it stopped.
    """

    class Step(models.TextChoices):
        DAYS = "days", "taking events out"
        ACCOUNTS = "accounts", "correcting accounts"
        TEMPLATES = "templates", "counting templates anew"
        DONE = "done"

    key = models.ForeignKey(
        IngestKey, on_delete=models.PROTECT, null=True, related_name="take_backs"
    )
    asked_by = models.CharField(max_length=150)
    reason = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    step = models.CharField(max_length=9, choices=Step, default=Step.DAYS)
    position = models.DateField(null=True)
    days = models.IntegerField(default=0)
    days_done = models.IntegerField(default=0)
    batches = models.IntegerField(default=0)
    records = models.BigIntegerField(default=0)
    # Records that another key had sent too, and which stay for its sake.
    kept = models.BigIntegerField(default=0)
    accounts = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    error = models.TextField(default="", blank=True)
    finished_at = models.DateTimeField(null=True)
    audited_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"take-back {self.pk}: {self.step}"


class TakeBackAccount(models.Model):
    """An account that a take-back touched; `first_at` is the earliest it took out."""

    take_back = models.ForeignKey(
        TakeBack, on_delete=models.CASCADE, related_name="touched"
    )
    # No constraint: an account of which nothing is left goes.
    account_id = models.BigIntegerField()
    first_at = models.DateTimeField()
    is_corrected = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["take_back", "account_id"], name="take_back_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} by take-back {self.take_back_id}"


class TakeBackTemplate(models.Model):
    """A skeleton whose senders a take-back has to count anew."""

    take_back = models.ForeignKey(
        TakeBack, on_delete=models.CASCADE, related_name="skeletons"
    )
    skeleton_hash = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["take_back", "skeleton_hash"], name="take_back_template"
            )
        ]

    def __str__(self) -> str:
        return f"{self.skeleton_hash} by take-back {self.take_back_id}"
