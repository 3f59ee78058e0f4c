import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0002_batch_lease_and_merge_clock"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeyRefusal",
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
                    "why",
                    models.CharField(
                        choices=[("revoked", "Revoked"), ("expired", "Expired")],
                        max_length=8,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("refused_at", models.DateTimeField()),
                ("audited_at", models.DateTimeField(null=True)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="ingest.ingestkey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "hour"), name="key_refusal_hourly"
                    )
                ],
            },
        ),
    ]
