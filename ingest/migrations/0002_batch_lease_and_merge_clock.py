import django.contrib.postgres.fields
from django.db import migrations, models

ADD_STACK = "ALTER TABLE ingest_event ADD COLUMN client_stack varchar(512)"
DROP_STACK = "ALTER TABLE ingest_event DROP COLUMN client_stack"


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_facts")]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="claimed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="batch",
            name="byte_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="account",
            name="field_times",
            field=models.JSONField(default=dict),
        ),
        # Marks are written by many and taken by one: rows of their own, so that
        # neither waits for the other and no mark is lost.
        migrations.RemoveConstraint(model_name="staleday", name="stale_account_day"),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["received_at"], name="batch_received"),
        ),
        migrations.AddIndex(
            model_name="eventkey",
            index=models.Index(fields=["batch_id"], name="event_key_batch"),
        ),
        migrations.CreateModel(
            name="TemplateCandidate",
            fields=[
                (
                    "skeleton_hash",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                (
                    "account_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("seen_on", models.DateField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD_STACK, DROP_STACK)],
            state_operations=[
                migrations.AddField(
                    model_name="event",
                    name="client_stack",
                    field=models.CharField(max_length=512, null=True),
                ),
            ],
        ),
    ]
