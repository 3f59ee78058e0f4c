"""Every state a case was in, row by row, with the context it was changed in."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0001_claims"),
        ("investigations", "0004_states_move_by_the_table"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("title", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("in_review", "in review"),
                            ("escalated", "escalated"),
                            ("awaiting_approval", "awaiting approval"),
                            ("decided", "decided"),
                            ("closed", "closed"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("banned", "banned"),
                            ("restricted", "restricted"),
                            ("cleared", "cleared"),
                            ("duplicate", "duplicate"),
                            ("no_action", "no action"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("version", models.IntegerField(default=1)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "investigations_caseevent" ("assignee_id", "closed_at", "cluster_id", "decided_at", "id", "opened_at", "opened_by_id", "outcome", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "title", "version") VALUES (NEW."assignee_id", NEW."closed_at", NEW."cluster_id", NEW."decided_at", NEW."id", NEW."opened_at", NEW."opened_by_id", NEW."outcome", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."status", NEW."title", NEW."version"); RETURN NULL;',
                    hash="7002e70e47c914b420ec87ae03468b7c6195a73b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_15170",
                    table="investigations_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."closed_at" IS DISTINCT FROM (NEW."closed_at") OR OLD."cluster_id" IS DISTINCT FROM (NEW."cluster_id") OR OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."outcome" IS DISTINCT FROM (NEW."outcome") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."title" IS DISTINCT FROM (NEW."title") OR OLD."version" IS DISTINCT FROM (NEW."version"))',
                    func='INSERT INTO "investigations_caseevent" ("assignee_id", "closed_at", "cluster_id", "decided_at", "id", "opened_at", "opened_by_id", "outcome", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "title", "version") VALUES (NEW."assignee_id", NEW."closed_at", NEW."cluster_id", NEW."decided_at", NEW."id", NEW."opened_at", NEW."opened_by_id", NEW."outcome", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."status", NEW."title", NEW."version"); RETURN NULL;',
                    hash="c67f26c5475c022085f6504b7f444ae795817253",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2acbc",
                    table="investigations_case",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="assignee",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="cluster",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="detection.cluster",
            ),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="opened_by",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="caseevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="investigations.case",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="064738c41bb59cbc37d0156a0102ce90a5954266",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8c3fc",
                    table="investigations_caseevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(
            # pghistory's own guard is a row trigger, which TRUNCATE does not ask.
            "CREATE TRIGGER refuse_change"
            " BEFORE UPDATE OR DELETE OR TRUNCATE ON investigations_caseevent"
            " FOR EACH STATEMENT EXECUTE FUNCTION investigations_refuse_change();"
            "ALTER TABLE investigations_caseevent"
            " ENABLE ALWAYS TRIGGER refuse_change;",
            "DROP TRIGGER refuse_change ON investigations_caseevent;",
        ),
    ]
