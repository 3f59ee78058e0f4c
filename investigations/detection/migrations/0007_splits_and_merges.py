import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Where members of a cluster went, or came from, in one run."""

    dependencies = [
        ("detection", "0006_rules_that_staff_own"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClusterLineage",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("split", "split off"),
                            ("moved", "went over"),
                            ("merged", "merged"),
                            ("vanished", "no longer found"),
                            ("returned", "found again"),
                        ],
                        max_length=8,
                    ),
                ),
                ("shared", models.IntegerField()),
                ("at", models.DateTimeField()),
                (
                    "child",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="origins",
                        to="detection.cluster",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="descent",
                        to="detection.cluster",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("at", "parent", "child", "kind"),
                        name="cluster_lineage_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("parent__isnull", False),
                            ("child__isnull", False),
                            _connector="OR",
                        ),
                        name="cluster_lineage_of_something",
                    ),
                ],
            },
        ),
    ]
