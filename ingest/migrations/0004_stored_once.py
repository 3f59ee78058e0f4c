"""Indexes that cost next to nothing while events pour in.

A tree over (account_id, occurred_at), kept for every row, makes storing two to three
times slower. Rows are stored sorted by account within each commit, so that ranges of
pages (BRIN) tell where an account's or a batch's rows lie on the open day; the tree is
built once, when the day is closed. Days that are over get theirs here.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations

FORWARD = """
DROP INDEX event_account_time;
CREATE INDEX event_account ON ingest_event
    USING brin (account_id) WITH (pages_per_range = 4);
CREATE INDEX event_batch ON ingest_event
    USING brin (batch_id) WITH (pages_per_range = 16);
DO $$
DECLARE
    day text;
BEGIN
    FOR day IN
        SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = 'ingest_event'::regclass
          AND inhrelid::regclass::text
              < 'ingest_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')
    LOOP
        EXECUTE format(
            'CREATE INDEX %I ON %I (account_id, occurred_at)',
            day || '_account_time', day
        );
    END LOOP;
END
$$;
"""
BACKWARD = """
DROP INDEX event_account;
DROP INDEX event_batch;
CREATE INDEX event_account_time ON ingest_event (account_id, occurred_at);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0003_key_refusals"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveIndex(model_name="eventkey", name="event_key_batch"),
        migrations.AddIndex(
            model_name="eventkey",
            index=BrinIndex(
                fields=["batch_id"], name="event_key_batches", pages_per_range=16
            ),
        ),
    ]
