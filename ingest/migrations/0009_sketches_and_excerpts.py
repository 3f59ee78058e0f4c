import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What a skeleton is like, beside its count; a few prompts in redacted words.

    Skeletons that are known already get their sketch when somebody sends them again.
    """

    dependencies = [
        ("ingest", "0008_refusals_in_the_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="templatecandidate",
            name="sketch",
            field=models.BinaryField(max_length=60, null=True),
        ),
        migrations.AddField(
            model_name="templatecandidate",
            name="embedding",
            field=models.BinaryField(max_length=96, null=True),
        ),
        migrations.CreateModel(
            name="Excerpt",
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
                ("event_id", models.CharField(max_length=128)),
                ("occurred_at", models.DateTimeField()),
                ("day", models.DateField(db_index=True)),
                ("skeleton_hash", models.BigIntegerField()),
                ("rank", models.BigIntegerField()),
                ("text", models.CharField(max_length=500)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="ingest.account",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="ingest.source",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["account", "day", "rank"],
                        name="excerpt_account_day_rank",
                    ),
                    models.Index(
                        fields=["skeleton_hash", "day", "rank"],
                        name="excerpt_skeleton_day_rank",
                    ),
                ],
            },
        ),
    ]
