"""Claims: what the machine believes. All of it can be thrown away and recomputed.

The two exceptions are small and named: `Cluster.id` is carried from run to run by
overlap so that people can talk about a cluster, and `first_flagged_at` is history.
`Label` is what people told the machine; it comes down as data, never as an import.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from ingest.models import Account, Indicator


class Band(models.TextChoices):
    ACTION = "action", "propose action"  # 90 and above
    REVIEW = "review", "review"  # 70-89
    WATCH = "watch", "watch"  # 40-69
    NONE = "none", "none"  # below 40


class RuleVersion(models.Model):
    """One version of the rules that staff set. What it says is fixed once it is
    proposed; the version that is live is what every run goes by."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        SHADOW = "shadow", "in shadow"  # proposed: runs beside the live one
        LIVE = "live", "live"
        RETIRED = "retired", "retired"
        DISCARDED = "discarded", "discarded"

    number = models.PositiveIntegerField(unique=True)
    # Only what differs from the built-in rules: rule_values.Values.as_json.
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    reason = models.TextField()
    # The version that was live when the draft was begun; none: the built-in rules.
    based_on = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Counts the changes of the draft, so that two windows cannot undo one another.
    edition = models.PositiveIntegerField(default=1)
    proposed_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
    )
    published_at = models.DateTimeField(null=True)
    publish_note = models.TextField(default="", blank=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="live"),
                name="rules_one_live",
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="shadow"),
                name="rules_one_in_shadow",
            ),
            models.CheckConstraint(
                condition=models.Q(published_by__isnull=True)
                | ~models.Q(published_by=models.F("author")),
                name="rules_second_person",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"R-{self.number}"


class RuleTrial(models.Model):
    """What a version would have changed, beside the live rules on the same facts."""

    class Kind(models.TextChoices):
        SHADOW = "shadow", "shadow"
        BACKTEST = "backtest", "backtest"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    version = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, related_name="trials"
    )
    # The live version it was held against; none: the built-in rules.
    against = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    # Of both, as they were: a draft goes on changing.
    hash = models.CharField(max_length=64)
    against_hash = models.CharField(max_length=64)
    values = models.JSONField(default=dict)
    # Clocks to look back from; a shadow has that of the newest run.
    instants = ArrayField(models.DateTimeField())
    # One Comparison.as_json for each instant that is done, in their order.
    results = models.JSONField(default=list)
    runs = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, default="", blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    touched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="trial_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} of {self.version}"


class Run(models.Model):
    """One pass over what has been ingested, seen with the clock `as_of`.

    A full pass looks at everything; a quick one at what changed since the last pass,
    and at whom that concerns.
    """

    class Kind(models.TextChoices):
        FULL = "full", "full pass"
        QUICK = "quick", "quick pass"

    kind = models.CharField(max_length=5, choices=Kind, default=Kind.FULL)
    as_of = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    ruleset_hash = models.CharField(max_length=64)
    # The version of the rules it went by; none where the built-in ones were live.
    rules = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, null=True, related_name="runs"
    )
    # Stage name to seconds.
    stages = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"run {self.pk} as of {self.as_of:%Y-%m-%d %H:%M}"

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None


class ChangedAccounts(models.Model):
    """Accounts whose days or records changed since the last full pass.

    Written by a trigger when ingest has brought their sightings up to date, in the
    same transaction. `seen`: a quick pass has looked at them.
    """

    account_ids = ArrayField(models.BigIntegerField())
    noted_at = models.DateTimeField(auto_now_add=True)
    seen = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "changed accounts"

    def __str__(self) -> str:
        return f"{len(self.account_ids)} accounts"


class Remembered(models.Model):
    """What the last full pass read and found, packed (keeping.py): quick passes
    compare with it, and read no more than what changed."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="remembered")
    shape = models.CharField(max_length=16, default="")  # keeping.shape, when packed
    packed = models.BinaryField()

    class Meta:
        verbose_name_plural = "remembered"

    def __str__(self) -> str:
        return f"{len(self.packed)} bytes of {self.run}"


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


class Cluster(models.Model):
    """Accounts that the machine believes are run together."""

    class Verdict(models.TextChoices):
        DISTILLATION = "distillation", "distillation campaign"
        RESALE_POOL = "resale_pool", "resale pool"
        INSUFFICIENT_EVIDENCE = "insufficient_evidence", "insufficient evidence"

    class Amount(models.TextChoices):
        TOO_LITTLE = "too_little", "too little to say anything"
        EARLY = "early", "early"
        EARLY_MANY = "early_many", "early, of many customers"
        ENOUGH = "enough", "enough"

    # Shown as CL-<id>. Carried over by overlap from run to run.
    score = models.FloatField(default=0)
    decibans = models.FloatField(default=0)
    band = models.CharField(max_length=8, choices=Band, default=Band.NONE)
    verdict = models.CharField(
        max_length=24, choices=Verdict, default=Verdict.INSUFFICIENT_EVIDENCE
    )
    # Whether there is enough to judge it by, and to act on.
    amount = models.CharField(max_length=10, choices=Amount, default=Amount.ENOUGH)
    size = models.IntegerField(default=0)
    # [{signal, family, points, value, baseline, sentence, innocent, rows}] as in
    # Score.reasons, for the cluster as a whole.
    reasons = models.JSONField(default=list)
    # The strongest innocent explanation, in one sentence, and what speaks against it.
    innocent_explanation = models.TextField(default="", blank=True)
    # Account ids (primary keys) that the machine proposes to ban; often empty.
    proposed_ban = ArrayField(models.BigIntegerField(), default=list)
    # Those that would be proposed if a new source were believed, and why they are not.
    withheld = ArrayField(models.BigIntegerField(), default=list)
    withheld_because = models.TextField(default="", blank=True)
    # {kind: number of member pairs it ties}
    link_kinds = models.JSONField(default=dict)
    # Who its members were when it was last found: what it is known by in the next
    # run, and what is left to show of a cluster that has vanished.
    last_members = ArrayField(models.BigIntegerField(), default=list)
    live = models.BooleanField(default=True, db_index=True)
    first_seen_at = models.DateTimeField()
    first_flagged_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-score", "id"], name="cluster_by_score")]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"CL-{self.pk}"


class ClusterLineage(models.Model):
    """Where members of a cluster went, or came from, in one run.

    History, as the id is: what a cluster that is no longer found became of. A cluster
    that vanished has no child, one that was found again no parent.
    """

    class Kind(models.TextChoices):
        SPLIT = "split", "split off"
        MOVED = "moved", "went over"
        MERGED = "merged", "merged"
        VANISHED = "vanished", "no longer found"
        RETURNED = "returned", "found again"

    parent = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="descent"
    )
    child = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="origins"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    # Members that came along; of one that vanished, all it had.
    shared = models.IntegerField()
    # The clock of the run that found it so.
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["at", "parent", "child", "kind"],
                name="cluster_lineage_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(parent__isnull=False)
                | models.Q(child__isnull=False),
                name="cluster_lineage_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} {self.kind} {self.child_id}"


class Fingerprint(models.Model):
    """What a cluster was known by, for when its operator comes back with new accounts.

    Kept of every cluster that ever reached 70, and of those that people decided on. It
    holds keyed hashes, sketches, sums and shares, no value and no text, so it may
    outlive the facts; it stops changing with the decision.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "nobody decided"
        CONFIRMED = "confirmed", "confirmed abuse"
        CLEARED = "cleared", "found innocent"

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="fingerprint"
    )
    # Whose labels say what was decided.
    account_ids = ArrayField(models.BigIntegerField())
    # Portrait.as_json of portraits.py.
    portrait = models.JSONField()
    outcome = models.CharField(
        max_length=9, choices=Outcome, default=Outcome.OPEN, db_index=True
    )
    decided_at = models.DateTimeField(null=True)
    # The clock of the run that saw it so.
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"fingerprint of {self.cluster_id}"


class ClusterResemblance(models.Model):
    """The past cluster that a live one is most like, found by the last run."""

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="resemblance"
    )
    past = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="likened")
    # How many of the parts' likenesses there are on average, 0-1, and the share of
    # `compared` unrelated groups that are as much like any past cluster.
    likeness = models.FloatField()
    quantile = models.FloatField()
    compared = models.IntegerField()
    # [{part, likeness, quantile}] that agree, in the order of portraits.PARTS.
    agreements = models.JSONField(default=list)
    # The first run that found this past cluster.
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster_id} like {self.past_id}"


class Membership(models.Model):
    """One account in one cluster, with its place on the cluster's map."""

    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="memberships"
    )
    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="membership"
    )
    # Share of the Leiden runs in which the account was with this cluster, 0-1.
    stability = models.FloatField()
    # Rare indicators shared with other members; 0 means trimmed soon.
    support = models.IntegerField()
    x = models.FloatField(default=0)
    y = models.FloatField(default=0)
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id} in {self.cluster_id}"


class Signal(models.Model):
    """One piece of evidence that a detector gave about an account or a cluster."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="signals"
    )
    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, null=True, related_name="signals"
    )
    detector = models.CharField(max_length=48)
    version = models.IntegerField()
    family = models.CharField(max_length=16)
    # How strongly it was seen, 0-1, and what that is worth in decibans.
    strength = models.FloatField()
    decibans = models.FloatField()
    value = models.FloatField()
    baseline = models.FloatField(null=True)
    sentence = models.CharField(max_length=1000)
    innocent = models.CharField(max_length=1000, default="", blank=True)
    # The query that finds the rows behind it: {"table", "filters": {…}, "count"}.
    rows = models.JSONField(default=dict)
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "detector"], name="signal_account_detector"
            ),
            models.UniqueConstraint(
                fields=["cluster", "detector"], name="signal_cluster_detector"
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=True)
                ^ models.Q(cluster__isnull=True),
                name="signal_about_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.detector} {self.strength:.2f}"


class Score(models.Model):
    """0-100 for one account: 100 × the posterior probability, with its reasons."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="score"
    )
    score = models.FloatField(default=0)
    decibans = models.FloatField(default=0)
    band = models.CharField(max_length=8, choices=Band, default=Band.NONE)
    # A list of reasons, as Reason.as_json of shapes.py writes them.
    reasons = models.JSONField(default=list)
    ruleset_hash = models.CharField(max_length=64)
    first_flagged_at = models.DateTimeField(null=True)
    as_of = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-score", "account"], name="score_by_score")]

    def __str__(self) -> str:
        return f"{self.score:.0f}"


class Exposure(models.Model):
    """What left through a cluster within a window."""

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, related_name="exposure"
    )
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    days = models.IntegerField(default=0)
    exchanges = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    # Exchanges by model, and by what they asked for.
    by_model = models.JSONField(default=dict)
    by_intent = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.exchanges} exchanges"


class ClusterHour(models.Model):
    """A cluster's requests of one hour, so that a page never reads raw events."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    requests = models.IntegerField()
    output_tokens = models.BigIntegerField(default=0)
    by_model = models.JSONField(default=dict)
    by_intent = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "hour"], name="cluster_hour")
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id} at {self.hour}"


class Label(models.Model):
    """What people told the machine about an account; the latest one counts.

    It outlives the facts: an account that people spoke of stays, were all that its
    senders told of it taken back.
    """

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed abuse"
        BENIGN = "benign", "found innocent"
        EXEMPT = "exempt", "exempt until a date"

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="labels"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, default="", blank=True)
    # The decision's reference, as text: claims do not know judgements.
    given_by = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    # What spoke about the account when it was given: keys of detectors, its own and
    # its cluster's, and kinds of values that tied it to other members. Claims change;
    # whether a detector was right is asked of those that people judged.
    detectors = ArrayField(models.CharField(max_length=48), default=list)
    link_kinds = ArrayField(models.CharField(max_length=32), default=list)
    # What the machine said of it then; null where it had said nothing yet.
    score = models.FloatField(null=True)
    decibans = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-given_at"], name="label_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id}"
