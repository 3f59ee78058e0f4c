"""Account-days take more in at any time; batches say what is not yet in them.

Account-days made before have no state to add to, and sightings do not know their last
day's share: they are marked to be made once more. Going back only forgets how to add.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Rows of the open day change every few seconds: room on the page keeps the indexes
# out of it, and what is packed already is not packed again.
ROOM_TO_CHANGE = """
ALTER TABLE ingest_accountday SET (fillfactor = 60);
ALTER TABLE ingest_accountday ALTER state SET STORAGE EXTERNAL;
ALTER TABLE ingest_sighting SET (fillfactor = 80);
"""
NO_ROOM_TO_CHANGE = """
ALTER TABLE ingest_accountday RESET (fillfactor);
ALTER TABLE ingest_sighting RESET (fillfactor);
"""
MAKE_AGAIN = """
INSERT INTO ingest_staleday (account_id, day, marked_at)
SELECT account_id, day, now() FROM ingest_accountday;
INSERT INTO ingest_unsighteddays (day, part, account_ids, whole, marked_at)
SELECT '1970-01-01', account_id % 8, array_agg(DISTINCT account_id), true, now()
FROM ingest_sighting GROUP BY account_id % 8
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0004_stored_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnsightedDays",
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
                ("day", models.DateField()),
                ("part", models.SmallIntegerField()),
                (
                    "account_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("whole", models.BooleanField(default=False)),
                ("marked_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"verbose_name_plural": "unsighted days"},
        ),
        migrations.CreateModel(
            name="UnsummedBatch",
            fields=[
                (
                    "batch_id",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                ("events", models.IntegerField()),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("marked_at", models.DateTimeField(auto_now_add=True)),
                ("is_summed", models.BooleanField(default=False)),
            ],
            options={"verbose_name_plural": "unsummed batches"},
        ),
        migrations.AddField(
            model_name="accountday",
            name="resumed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="accountday",
            name="state",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="sighting",
            name="last_count",
            field=models.BigIntegerField(default=0),
        ),
        # A check of each row against its account costs more than the row: they are
        # made from events whose accounts were looked up when they were stored.
        migrations.AlterField(
            model_name="accountday",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="days",
                to="ingest.account",
            ),
        ),
        migrations.AlterField(
            model_name="sighting",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sightings",
                to="ingest.account",
            ),
        ),
        migrations.AlterField(
            model_name="sighting",
            name="indicator",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sightings",
                to="ingest.indicator",
            ),
        ),
        migrations.RunSQL(ROOM_TO_CHANGE, NO_ROOM_TO_CHANGE),
        migrations.RunSQL(MAKE_AGAIN, migrations.RunSQL.noop),
    ]
