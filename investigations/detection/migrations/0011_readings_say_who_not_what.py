"""A widely shared value may be a template or a program: no campus and no VPN."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0010_past_clusters"),
    ]

    operations = [
        migrations.AlterField(
            model_name="indicatorprofile",
            name="reading",
            field=models.CharField(
                blank=True,
                choices=[
                    ("pool", "reads like one pool"),
                    ("diverse", "reads like unrelated people"),
                    ("unclear", "cannot tell"),
                ],
                default="",
                max_length=8,
            ),
        ),
    ]
