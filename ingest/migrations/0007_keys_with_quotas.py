import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0006_resumable_imports"),
    ]

    operations = [
        # Keys: rotation, addresses, quotas; batches and what takes them out again.
        migrations.CreateModel(
            name="EventRepeat",
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
                ("digest", models.UUIDField()),
                ("batch_id", models.BigIntegerField()),
                ("line", models.IntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="KeyBlock",
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
                ("block", models.CharField(max_length=43)),
                ("first_used_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField()),
                ("is_alarming", models.BooleanField(default=False)),
                ("audited_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="KeyUse",
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
                    "span",
                    models.CharField(
                        choices=[("minute", "Minute"), ("day", "Day")], max_length=6
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("rows", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ReleaseRecord",
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
                ("model", models.CharField(db_index=True, max_length=256)),
                ("batch_id", models.BigIntegerField(db_index=True, null=True)),
                ("released_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="TakeBack",
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
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("days", "taking events out"),
                            ("accounts", "correcting accounts"),
                            ("templates", "counting templates anew"),
                            ("done", "Done"),
                        ],
                        default="days",
                        max_length=9,
                    ),
                ),
                ("position", models.DateField(null=True)),
                ("days", models.IntegerField(default=0)),
                ("days_done", models.IntegerField(default=0)),
                ("batches", models.IntegerField(default=0)),
                ("records", models.BigIntegerField(default=0)),
                ("kept", models.BigIntegerField(default=0)),
                ("accounts", models.IntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("error", models.TextField(blank=True, default="")),
                ("finished_at", models.DateTimeField(null=True)),
                ("audited_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TakeBackAccount",
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
                ("account_id", models.BigIntegerField()),
                ("first_at", models.DateTimeField()),
                ("is_corrected", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="TakeBackTemplate",
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
                ("skeleton_hash", models.BigIntegerField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="keyrefusal",
            name="key_refusal_hourly",
        ),
        migrations.AddField(
            model_name="batch",
            name="excluded",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="bytes_per_day",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="bytes_per_minute",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="last_used_from",
            field=models.GenericIPAddressField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="made_by",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="networks",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="replaces",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successors",
                to="ingest.ingestkey",
            ),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="rows_per_day",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="ingestkey",
            name="rows_per_minute",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="keyrefusal",
            name="address",
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AlterField(
            model_name="keyrefusal",
            name="why",
            field=models.CharField(
                choices=[
                    ("revoked", "Revoked"),
                    ("expired", "Expired"),
                    ("address", "Address"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="keyrefusal",
            constraint=models.UniqueConstraint(
                fields=("key", "hour", "why"), name="key_refusal_hourly"
            ),
        ),
        migrations.AddConstraint(
            model_name="eventrepeat",
            constraint=models.UniqueConstraint(
                fields=("digest", "batch_id"), name="event_repeat"
            ),
        ),
        migrations.AddField(
            model_name="keyblock",
            name="key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="blocks",
                to="ingest.ingestkey",
            ),
        ),
        migrations.AddField(
            model_name="keyuse",
            name="key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uses",
                to="ingest.ingestkey",
            ),
        ),
        migrations.AddField(
            model_name="takeback",
            name="key",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="take_backs",
                to="ingest.ingestkey",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="take_back",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taken",
                to="ingest.takeback",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["key", "id"],
                name="batch_waiting",
            ),
        ),
        migrations.AddField(
            model_name="takebackaccount",
            name="take_back",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="touched",
                to="ingest.takeback",
            ),
        ),
        migrations.AddField(
            model_name="takebacktemplate",
            name="take_back",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="skeletons",
                to="ingest.takeback",
            ),
        ),
        migrations.AddConstraint(
            model_name="keyblock",
            constraint=models.UniqueConstraint(
                fields=("key", "block"), name="key_block"
            ),
        ),
        migrations.AddConstraint(
            model_name="keyuse",
            constraint=models.UniqueConstraint(
                fields=("key", "span", "starts_at"), name="key_use_span"
            ),
        ),
        migrations.AddConstraint(
            model_name="takebackaccount",
            constraint=models.UniqueConstraint(
                fields=("take_back", "account_id"), name="take_back_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="takebacktemplate",
            constraint=models.UniqueConstraint(
                fields=("take_back", "skeleton_hash"), name="take_back_template"
            ),
        ),
        # What was known before releases' records were kept: told by nobody any more.
        migrations.RunSQL(
            "INSERT INTO ingest_releaserecord (model, released_at) "
            "SELECT model, released_at FROM ingest_modelrelease",
            migrations.RunSQL.noop,
        ),
    ]
