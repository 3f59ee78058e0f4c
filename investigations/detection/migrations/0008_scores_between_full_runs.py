import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Ingest notes which accounts' days changed and takes a note away when it has brought
# the sightings up to date. From then on a pass can see what changed, and not before.
NOTE_CHANGES = """
CREATE FUNCTION detection_note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO detection_changedaccounts (account_ids, noted_at, seen)
    SELECT account_ids, now(), false FROM settled;
    RETURN NULL;
END $$;
CREATE TRIGGER detection_note_changes AFTER DELETE ON ingest_unsighteddays
REFERENCING OLD TABLE AS settled
FOR EACH STATEMENT EXECUTE FUNCTION detection_note_changes();
"""
NOTE_NOTHING = """
DROP TRIGGER detection_note_changes ON ingest_unsighteddays;
DROP FUNCTION detection_note_changes();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0007_splits_and_merges"),
        ("ingest", "0010_networks_and_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="kind",
            field=models.CharField(
                choices=[("full", "full pass"), ("quick", "quick pass")],
                default="full",
                max_length=5,
            ),
        ),
        migrations.CreateModel(
            name="ChangedAccounts",
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
                    "account_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("noted_at", models.DateTimeField(auto_now_add=True)),
                ("seen", models.BooleanField(default=False)),
            ],
            options={"verbose_name_plural": "changed accounts"},
        ),
        migrations.CreateModel(
            name="Remembered",
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
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remembered",
                        to="detection.run",
                    ),
                ),
                ("packed", models.BinaryField()),
            ],
            options={"verbose_name_plural": "remembered"},
        ),
        migrations.RunSQL(NOTE_CHANGES, NOTE_NOTHING),
    ]
