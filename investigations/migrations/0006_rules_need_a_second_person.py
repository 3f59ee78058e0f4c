"""A version of the rules moves on only as `investigations/actions/rules.py` says.

What was proposed is what is tried and published: its values and reason are fixed once
it is no draft any more. Publishing takes a person who did not write it (a constraint of
the table itself). Triggers as in 0003 and 0004, for the same reasons.
"""

from django.db import migrations

TABLE = "detection_ruleversion"
MOVES = "draft>shadow draft>discarded shadow>draft shadow>live live>retired"
FIXED = "number, author_id, created_at"
FIXED_WHEN_PROPOSED = "values, reason, edition, based_on_id"


def rewritten(columns: str) -> str:
    names = columns.split(", ")
    old, new = (", ".join(f"{row}.{n}" for n in names) for row in ("OLD", "NEW"))
    return f"({old}) IS DISTINCT FROM ({new})"


KEPT = f"""
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION investigations_refuse_change();
ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER refuse_change;
CREATE TRIGGER refuse_rewrite BEFORE UPDATE ON {TABLE} FOR EACH ROW
    WHEN ({rewritten(FIXED)}
          OR (OLD.state <> 'draft' AND {rewritten(FIXED_WHEN_PROPOSED)}))
    EXECUTE FUNCTION investigations_refuse_change();
ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER refuse_rewrite;
"""
DROP_KEPT = f"""
DROP TRIGGER refuse_rewrite ON {TABLE};
DROP TRIGGER refuse_change ON {TABLE};
"""

allowed = ", ".join(f"'{pair}'" for pair in MOVES.split())
MOVE = f"""
CREATE TRIGGER refuse_move BEFORE UPDATE ON {TABLE} FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({allowed}))
    EXECUTE FUNCTION investigations_refuse_move('state');
ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER refuse_move;
"""
DROP_MOVE = f"DROP TRIGGER refuse_move ON {TABLE};"


class Migration(migrations.Migration):
    dependencies = [
        ("investigations", "0005_case_history_is_kept"),
        ("detection", "0006_rules_that_staff_own"),
    ]

    operations = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        migrations.RunSQL(MOVE, DROP_MOVE),
    ]
