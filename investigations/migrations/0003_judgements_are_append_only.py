"""The database itself refuses to change or drop what people decided and did.

Plain triggers, and not pgtrigger's: those ask a session setting whether they should
stand aside, which is right for tests of ordinary rules and wrong for evidence.

Statement triggers, because row triggers are not asked by TRUNCATE. ENABLE ALWAYS,
because an ordinary trigger is not asked under session_replication_role = replica.
What remains is the owner of the tables, who can drop triggers: the hash chain is
there to show it (`manage.py verify_audit`).
"""

from django.db import migrations

# Never changed and never removed.
KEPT_AS_WRITTEN = (
    "auditentry",
    "decision",
    "targetlist",
    "targetaccount",
    "note",
    "report",
)
# Their state moves on, but they are never removed.
KEPT = ("case", "approval", "effect")

REFUSAL = """
CREATE FUNCTION investigations_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what was written: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""
DROP_REFUSAL = "DROP FUNCTION investigations_refuse_change();"

# A list is written once, whole: it takes no account beyond the number it names.
FULL_LIST = """
CREATE FUNCTION investigations_refuse_late_target() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    overfull bigint;
BEGIN
    SELECT list.id INTO overfull
    FROM investigations_targetlist AS list
    WHERE list.id IN (SELECT target_list_id FROM added)
      AND list.count < (SELECT count(*) FROM investigations_targetaccount AS target
                        WHERE target.target_list_id = list.id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'target list % is frozen: no account can be added', overfull
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse_late_target AFTER INSERT ON investigations_targetaccount
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION investigations_refuse_late_target();
ALTER TABLE investigations_targetaccount ENABLE ALWAYS TRIGGER refuse_late_target;
"""
DROP_FULL_LIST = """
DROP TRIGGER refuse_late_target ON investigations_targetaccount;
DROP FUNCTION investigations_refuse_late_target();
"""

# Each value stands behind its own length in bytes, so that no two entries can spell
# the same text. `verify_audit` builds it again in Python, from the columns alone.
# The head is read by the table's full name: a temporary table of the same name would
# otherwise come first. The lock makes writers wait for each other, so that the chain
# has neither gap nor fork; the number is arbitrary and used for nothing else.
CHAIN = """
CREATE FUNCTION investigations_audit_text(entry_parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT string_agg(octet_length(convert_to(part, 'UTF8')) || ':' || part, ''
                      ORDER BY place)
    FROM unnest(entry_parts) WITH ORDINALITY AS parts (part, place)
$$;
CREATE FUNCTION investigations_audit_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    head_sequence bigint;
    head_hash text;
BEGIN
    PERFORM pg_advisory_xact_lock(1461125122);
    EXECUTE format('SELECT sequence, hash FROM %I.%I ORDER BY sequence DESC LIMIT 1',
                   TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO head_sequence, head_hash;
    NEW.sequence := coalesce(head_sequence, 0) + 1;
    NEW.previous_hash := coalesce(head_hash, repeat('0', 64));
    NEW.hash := encode(sha256(convert_to(investigations_audit_text(ARRAY[
        NEW.sequence::text,
        to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.actor_id::text, NEW.actor_name, NEW.actor_role, NEW.verb,
        NEW.object_type, NEW.object_ref, NEW.reason, NEW.detail::text,
        NEW.request_id, NEW.previous_hash
    ]), 'UTF8')), 'hex');
    RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON investigations_auditentry
    FOR EACH ROW EXECUTE FUNCTION investigations_audit_chain();
"""
DROP_CHAIN = """
DROP TRIGGER audit_chain ON investigations_auditentry;
DROP FUNCTION investigations_audit_chain();
DROP FUNCTION investigations_audit_text(text[]);
"""


def guard(model: str, events: str) -> migrations.RunSQL:
    table = f"investigations_{model}"
    return migrations.RunSQL(
        f"CREATE TRIGGER refuse_change BEFORE {events} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION investigations_refuse_change();"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_change;",
        f"DROP TRIGGER refuse_change ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("investigations", "0002_case_finish_and_effect_lease")]

    operations = [
        migrations.RunSQL(REFUSAL, DROP_REFUSAL),
        *(guard(model, "UPDATE OR DELETE OR TRUNCATE") for model in KEPT_AS_WRITTEN),
        *(guard(model, "DELETE OR TRUNCATE") for model in KEPT),
        migrations.RunSQL(FULL_LIST, DROP_FULL_LIST),
        migrations.RunSQL(CHAIN, DROP_CHAIN),
    ]
