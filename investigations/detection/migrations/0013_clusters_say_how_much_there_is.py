"""What a cluster is judged by may be too little, or enough only to tell of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0012_remembered_has_a_shape"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="amount",
            field=models.CharField(
                choices=[
                    ("too_little", "too little to say anything"),
                    ("early", "early"),
                    ("enough", "enough"),
                ],
                default="enough",
                max_length=10,
            ),
        ),
        migrations.RunSQL(
            "UPDATE detection_cluster SET amount = 'too_little' "
            "WHERE verdict = 'insufficient_evidence' AND score <= 39",
            migrations.RunSQL.noop,
        ),
    ]
