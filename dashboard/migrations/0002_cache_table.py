"""The table of the shared cache, which rate limits and lock-outs count in."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_pages")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE dashboard_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX dashboard_cache_expires ON dashboard_cache (expires);
            """,
            "DROP TABLE dashboard_cache",
        )
    ]
