from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0008_scores_between_full_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="indicatorprofile",
            name="crowd",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="indicatorprofile",
            name="crowded",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="indicatorprofile",
            name="likeness",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="indicatorprofile",
            name="reading",
            field=models.CharField(
                blank=True,
                choices=[
                    ("pool", "reads like one pool"),
                    ("diverse", "reads like a campus or VPN"),
                    ("unclear", "cannot tell"),
                ],
                default="",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="indicatorprofile",
            index=models.Index(
                condition=models.Q(("likeness__isnull", False)),
                fields=["-likeness", "id"],
                name="indicator_by_likeness",
            ),
        ),
    ]
