"""Statuses move only as `investigations/transitions.py` says, whoever writes.

The pairs are spelled out here as they were when this was written: a migration is
history. A test compares them with the table, so a change there needs a new one here.
"""

from django.db import migrations

MOVES = {
    ("case", "status"): (
        "open>in_review open>escalated open>awaiting_approval open>decided open>closed"
        " in_review>open in_review>escalated in_review>awaiting_approval"
        " in_review>decided in_review>closed"
        " escalated>in_review escalated>awaiting_approval escalated>decided"
        " escalated>closed"
        " awaiting_approval>in_review awaiting_approval>decided"
        " decided>open decided>in_review decided>closed closed>open closed>in_review"
    ),
    ("effect", "state"): (
        "pending>delivered pending>parked pending>superseded"
        " parked>pending parked>superseded"
    ),
    ("approval", "state"): (
        "requested>approved requested>rejected requested>withdrawn requested>expired"
    ),
}
# What was asked for or queued stays what it was while its state moves on.
FIXED = {
    "effect": "decision_id, account_id, kind, sequence, delivery_key, queued_at",
    "approval": "decision_id, requested_by_id, requested_at, expires_at, sha256",
    "case": "opened_by_id, opened_at, opened_on",
}

FUNCTIONS = """
CREATE FUNCTION investigations_refuse_move() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % cannot move from % to %', TG_TABLE_NAME, NEW.id,
        to_jsonb(OLD) ->> TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]
        USING ERRCODE = 'check_violation';
END $$;
"""
DROP_FUNCTIONS = "DROP FUNCTION investigations_refuse_move();"


def moves(model: str, field: str, pairs: str) -> migrations.RunSQL:
    table = f"investigations_{model}"
    allowed = ", ".join(f"'{pair}'" for pair in pairs.split())
    return migrations.RunSQL(
        f"CREATE TRIGGER refuse_move BEFORE UPDATE ON {table} FOR EACH ROW"
        f" WHEN (OLD.{field} <> NEW.{field}"
        f" AND OLD.{field} || '>' || NEW.{field} NOT IN ({allowed}))"
        f" EXECUTE FUNCTION investigations_refuse_move('{field}');"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_move;",
        f"DROP TRIGGER refuse_move ON {table};",
    )


def fixed(model: str, columns: str) -> migrations.RunSQL:
    table = f"investigations_{model}"
    names = columns.split(", ")
    old, new = (", ".join(f"{row}.{n}" for n in names) for row in ("OLD", "NEW"))
    return migrations.RunSQL(
        f"CREATE TRIGGER refuse_rewrite BEFORE UPDATE ON {table} FOR EACH ROW"
        f" WHEN (({old}) IS DISTINCT FROM ({new}))"
        f" EXECUTE FUNCTION investigations_refuse_change();"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_rewrite;",
        f"DROP TRIGGER refuse_rewrite ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("investigations", "0003_judgements_are_append_only")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        *(moves(model, field, pairs) for (model, field), pairs in MOVES.items()),
        *(fixed(model, columns) for model, columns in FIXED.items()),
    ]
