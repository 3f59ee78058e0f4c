import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

WAITING = {"replayed_at": None, "discarded_at": None}


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0007_keys_with_quotas"),
    ]

    operations = [
        # The ledger is checked against the events themselves, which accounts and
        # releases are not; and what retention has taken away is no gap.
        migrations.AddField(
            model_name="batch",
            name="stored_events",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="batch",
            name="events_dropped",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="batch",
            name="lines_dropped",
            field=models.IntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["stored_at"], name="batch_stored"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                fields=["received_at"],
                name="batch_unknown_fields",
                condition=~models.Q(unknown_fields={}),
            ),
        ),
        # Lines wait until they are replayed or discarded; the page counts those.
        migrations.AddField(
            model_name="quarantinedline",
            name="replay_batch_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="quarantinedline",
            name="discarded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="quarantinedline",
            index=models.Index(fields=["created_at"], name="line_created"),
        ),
        migrations.AddIndex(
            model_name="quarantinedline",
            index=models.Index(
                fields=["code", "id"],
                name="line_waiting",
                condition=models.Q(**WAITING),
            ),
        ),
        migrations.AddIndex(
            model_name="quarantinedline",
            index=models.Index(
                fields=["id"],
                name="line_conflict_waiting",
                condition=models.Q(fate="conflict", **WAITING),
            ),
        ),
        migrations.CreateModel(
            name="RefusedRequest",
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
                ("code", models.CharField(max_length=48)),
                ("status", models.IntegerField()),
                ("count", models.BigIntegerField()),
                ("byte_count", models.BigIntegerField()),
                ("last_at", models.DateTimeField()),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_requests",
                        to="ingest.ingestkey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "code", "key"),
                        name="refused_request_hourly",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplayRun",
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
                ("asked_by", models.CharField(max_length=150)),
                ("reason", models.TextField()),
                ("matching", models.JSONField(default=dict)),
                ("fix", models.JSONField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("last_line", models.BigIntegerField()),
                ("total", models.IntegerField()),
                ("replayed", models.IntegerField(default=0)),
                ("still_bad", models.IntegerField(default=0)),
                (
                    "batch_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("error", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
