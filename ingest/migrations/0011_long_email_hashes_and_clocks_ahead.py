from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0010_networks_and_retention")]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="email_hash",
            field=models.CharField(max_length=256, null=True),
        ),
        migrations.AddField(
            model_name="batch",
            name="skewed",
            field=models.IntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                fields=["received_at"],
                name="batch_skewed",
                condition=models.Q(skewed__gt=0),
            ),
        ),
    ]
