import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Changes nothing in the database: Django asks before it deletes an account."""

    dependencies = [
        ("detection", "0004_hours_by_intent"),
    ]

    operations = [
        migrations.AlterField(
            model_name="label",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="labels",
                to="ingest.account",
            ),
        ),
    ]
