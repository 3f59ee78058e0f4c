import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ingest", "0001_facts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("as_of", models.DateTimeField()),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("ruleset_hash", models.CharField(max_length=64)),
                ("stages", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Cluster",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("score", models.FloatField(default=0)),
                ("decibans", models.FloatField(default=0)),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("action", "propose action"),
                            ("review", "review"),
                            ("watch", "watch"),
                            ("none", "none"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("distillation", "distillation campaign"),
                            ("resale_pool", "resale pool"),
                            ("insufficient_evidence", "insufficient evidence"),
                        ],
                        default="insufficient_evidence",
                        max_length=24,
                    ),
                ),
                ("size", models.IntegerField(default=0)),
                ("reasons", models.JSONField(default=list)),
                ("innocent_explanation", models.TextField(blank=True, default="")),
                (
                    "proposed_ban",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("link_kinds", models.JSONField(default=dict)),
                ("live", models.BooleanField(db_index=True, default=True)),
                ("first_seen_at", models.DateTimeField()),
                ("first_flagged_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-score", "id"], name="cluster_by_score")
                ],
            },
        ),
        migrations.CreateModel(
            name="Exposure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("days", models.IntegerField(default=0)),
                ("exchanges", models.BigIntegerField(default=0)),
                ("input_tokens", models.BigIntegerField(default=0)),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("by_model", models.JSONField(default=dict)),
                ("by_intent", models.JSONField(default=dict)),
                (
                    "cluster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exposure",
                        to="detection.cluster",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IndicatorProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("accounts", models.IntegerField()),
                ("organizations", models.IntegerField()),
                ("hub", models.BooleanField(default=False)),
                (
                    "indicator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile",
                        to="ingest.indicator",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("stability", models.FloatField()),
                ("support", models.IntegerField()),
                ("x", models.FloatField(default=0)),
                ("y", models.FloatField(default=0)),
                ("joined_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="membership",
                        to="ingest.account",
                    ),
                ),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="detection.cluster",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ClusterHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("requests", models.IntegerField()),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("by_model", models.JSONField(default=dict)),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hours",
                        to="detection.cluster",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cluster", "hour"), name="cluster_hour"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("confirmed", "confirmed abuse"),
                            ("benign", "found innocent"),
                            ("exempt", "exempt until a date"),
                        ],
                        max_length=12,
                    ),
                ),
                ("until", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=1000)),
                ("given_by", models.CharField(max_length=64)),
                ("given_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="ingest.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-given_at"], name="label_latest")
                ],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("weight", models.FloatField()),
                ("families", models.IntegerField()),
                ("evidence", models.JSONField(default=list)),
                (
                    "account_a",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ingest.account",
                    ),
                ),
                (
                    "account_b",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ingest.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_a", "account_b"), name="link_pair"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account_a__lt", models.F("account_b"))),
                        name="link_pair_ordered",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("score", models.FloatField(default=0)),
                ("decibans", models.FloatField(default=0)),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("action", "propose action"),
                            ("review", "review"),
                            ("watch", "watch"),
                            ("none", "none"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("reasons", models.JSONField(default=list)),
                ("ruleset_hash", models.CharField(max_length=64)),
                ("first_flagged_at", models.DateTimeField(null=True)),
                ("as_of", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="score",
                        to="ingest.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-score", "account"], name="score_by_score")
                ],
            },
        ),
        migrations.CreateModel(
            name="Signal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("detector", models.CharField(max_length=48)),
                ("version", models.IntegerField()),
                ("family", models.CharField(max_length=16)),
                ("strength", models.FloatField()),
                ("decibans", models.FloatField()),
                ("value", models.FloatField()),
                ("baseline", models.FloatField(null=True)),
                ("sentence", models.CharField(max_length=1000)),
                ("innocent", models.CharField(blank=True, default="", max_length=1000)),
                ("rows", models.JSONField(default=dict)),
                ("as_of", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signals",
                        to="ingest.account",
                    ),
                ),
                (
                    "cluster",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signals",
                        to="detection.cluster",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "detector"), name="signal_account_detector"
                    ),
                    models.UniqueConstraint(
                        fields=("cluster", "detector"), name="signal_cluster_detector"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("account__isnull", True),
                            ("cluster__isnull", True),
                            _connector="XOR",
                        ),
                        name="signal_about_one_thing",
                    ),
                ],
            },
        ),
    ]
