import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from investigations.actions import audit
from investigations.models import AuditEntry
from investigations.selectors.audit_chain import Fault, verify_chain

TABLE = "investigations_auditentry"


def write(by, count: int = 1) -> list[AuditEntry]:
    for number in range(count):
        audit.record(
            "case.noted",
            by=by,
            object_type="case",
            object_ref=f"C-{number}",
            reason='Tab\there, "quotes", \\ and Ünïcode 漢字 \x1f',
            note=number,
            share=0.1,
            none=None,
        )
    return list(AuditEntry.objects.order_by("sequence"))


def as_owner(sql: str) -> None:
    """What only the owner of the table can do: lift the guard, tamper, put it back."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL")
        cursor.execute(sql)
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER ALL")


def test_an_entry_names_the_person_and_the_role_they_had(ana):
    entry = write(ana)[0]
    assert (entry.actor_name, entry.actor_role, entry.sequence) == ("ana", "analyst", 1)


def test_entries_form_one_chain_without_gaps(ana):
    entries = write(ana, 3)
    assert [e.sequence for e in entries] == [1, 2, 3]
    assert entries[0].previous_hash == "0" * 64
    assert [e.previous_hash for e in entries[1:]] == [e.hash for e in entries[:-1]]


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET reason = ''",
        f"DELETE FROM {TABLE}",
        f"TRUNCATE {TABLE}",
        f"SET LOCAL session_replication_role = replica; DELETE FROM {TABLE}",
    ],
)
def test_the_database_refuses_to_touch_what_was_written(ana, sql):
    write(ana)
    refused = pytest.raises(DatabaseError, match="refused|permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEntry.objects.count() == 1


def test_a_hash_handed_in_from_outside_is_not_taken(ana):
    entry = write(ana)[0]
    AuditEntry.objects.create(
        **{
            field.attname: getattr(entry, field.attname)
            for field in AuditEntry._meta.fields
            if field.attname not in {"id", "hash", "sequence"}
        },
        sequence=1,
        hash="f" * 64,
    )
    forged = AuditEntry.objects.latest("sequence")
    assert forged.sequence == 2
    assert forged.hash != "f" * 64


def test_a_temporary_table_of_the_same_name_does_not_fork_the_chain(ana):
    write(ana, 2)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE shadow ON COMMIT DROP AS TABLE {TABLE}")
        cursor.execute("DELETE FROM shadow")
        cursor.execute(f"ALTER TABLE shadow RENAME TO {TABLE}")
        cursor.execute(
            f"INSERT INTO public.{TABLE} (sequence, at, actor_id, actor_name,"
            " actor_role, verb, object_type, object_ref, reason, detail, request_id,"
            " previous_hash, hash)"
            " VALUES (0, now(), 1, '', '', '', '', '', '', '{}', '', '', '')"
        )
        cursor.execute(f"SELECT max(sequence) FROM public.{TABLE}")
        assert cursor.fetchone() == (3,)
        cursor.execute(f"DROP TABLE pg_temp.{TABLE}")


def test_an_unbroken_chain_is_verified_and_its_head_printed(ana):
    entries = write(ana, 5)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert f"5 entries, unbroken. Head: 5:{entries[-1].hash}" in out.getvalue()


@pytest.mark.parametrize(
    ("tamper", "first_bad"),
    [
        (f"UPDATE {TABLE} SET reason = 'x' WHERE sequence = 3", 3),
        (f"UPDATE {TABLE} SET detail = '{{}}' WHERE sequence = 4", 4),
        (
            f"UPDATE {TABLE} SET at = at + interval '1 microsecond' WHERE sequence = 2",
            2,
        ),
        (f"UPDATE {TABLE} SET verb = 'case.' , object_type = 'notedcase'", 1),
        (f"DELETE FROM {TABLE} WHERE sequence = 2", 2),
        (f"DELETE FROM {TABLE} WHERE sequence = 1", 1),
        (
            f"UPDATE {TABLE} SET sequence = CASE sequence WHEN 2 THEN 13 ELSE 12 END"
            " WHERE sequence IN (2, 3);"
            f" UPDATE {TABLE} SET sequence = sequence - 10 WHERE sequence > 10",
            2,
        ),
    ],
    ids=[
        "reason",
        "detail",
        "time",
        "moved text",
        "removed",
        "first removed",
        "swapped",
    ],
)
def test_verification_names_the_first_entry_that_was_tampered_with(
    ana, tamper, first_bad
):
    write(ana, 5)
    as_owner(tamper)
    with pytest.raises(CommandError, match=f"^Audit entry {first_bad} "):
        call_command("verify_audit")


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_done_to_the_entries_is_found_at_its_exact_place(ana, seed):
    dice, size = random.Random(seed), 12
    write(ana, size)
    where = dice.randint(1, size - 1)
    copied = "at, actor_id, actor_name, actor_role, verb, object_type, object_ref"
    kinds = {
        "flip": f"UPDATE {TABLE} SET {dice.choice(['reason', 'verb', 'actor_name'])}"
        f" = '{dice.random()}' WHERE sequence = {where}",
        "forge": f"UPDATE {TABLE} SET hash = md5('{seed}') || md5('x')"
        f" WHERE sequence = {where}",
        "delete": f"DELETE FROM {TABLE} WHERE sequence = {where}",
        "insert": f"UPDATE {TABLE} SET sequence = sequence + 1001"
        f" WHERE sequence >= {where};"
        f"UPDATE {TABLE} SET sequence = sequence - 1000 WHERE sequence > 1000;"
        f"INSERT INTO {TABLE} ({copied}, sequence, reason, detail, request_id,"
        f" previous_hash, hash) SELECT {copied}, {where}, 'forged', '{{}}', '',"
        f" previous_hash, md5('{seed}') || md5('y') FROM {TABLE}"
        f" WHERE sequence = {where + 1}",
    }
    as_owner(kinds[dice.choice(sorted(kinds))])
    found = verify_chain()
    assert isinstance(found, Fault)
    assert found.sequence == where


def test_a_cut_tail_shows_against_a_head_noted_elsewhere(ana):
    head = write(ana, 5)[-1]
    as_owner(f"DELETE FROM {TABLE} WHERE sequence > 3")
    assert verify_chain().sequence == 3
    with pytest.raises(CommandError, match="^Audit entry 4 is missing"):
        call_command("verify_audit", head=f"5:{head.hash}")


def test_a_rewritten_chain_shows_against_a_head_noted_elsewhere(ana):
    write(ana, 2)
    with pytest.raises(CommandError, match="^Audit entry 2 is not the entry"):
        call_command("verify_audit", head="2:" + "a" * 64)


def test_a_head_that_is_none_is_refused_with_its_form(ana):
    with pytest.raises(CommandError, match="SEQUENCE:HASH"):
        call_command("verify_audit", head="last")
