"""What an earlier release left is of no known shape, so that the next pass is full."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("detection", "0011_readings_say_who_not_what")]

    operations = [
        migrations.AddField(
            model_name="remembered",
            name="shape",
            field=models.CharField(default="", max_length=16),
        ),
    ]
