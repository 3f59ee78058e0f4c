"""Files → batches: remembered part by part, so that a killed import goes on.

A part's events, its counts and how far the file was read are one transaction.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from ingest.doors import inbox
from ingest.doors.errors import BadFile, EmptyBody, IngestRefused
from ingest.drain import takeback, writers
from ingest.importing.files import STANDARD_INPUT, TABLE, OpenFile, open_file
from ingest.importing.forms import tables
from ingest.importing.forms.parts import Flaw, Part
from ingest.models import Batch, FileImport, QuarantinedLine, Source
from ingest.records import lines, reading

FATES: Final = (
    "received",
    "stored",
    "duplicates",
    "conflicts",
    "quarantined",
    "refused",
)
# One import of a file at a time; held as long as the session lasts.
_LOCK: Final = 7_301_006
State = FileImport.State


class AlreadyImported(BadFile):
    """This very file was imported before: nothing is to be done."""

    def __init__(self, name: str, earlier: FileImport) -> None:
        super().__init__(
            f"{name} is already imported: it has the content of import {earlier.pk} "
            f"({earlier.name}, {earlier.finished_at:%Y-%m-%d %H:%M} UTC). "
            "Nothing was doubled. Say --again to read it once more.",
            code="already_imported",
        )
        self.earlier = earlier


@dataclass(frozen=True, slots=True)
class Problem:
    """The first row that could not be stored, for a table's preview."""

    row: int
    code: str
    message: str


def import_file(
    name: str,
    source: Source,
    *,
    record_type: str | None = None,
    keep_good: bool = False,
    again: bool = False,
) -> Generator[Batch, None, None]:
    """Opens, checks and stores a file; yields each batch as it was stored.

    Raises BadFile where the file cannot be read: what was yielded before is stored,
    and importing it again goes on from there.
    """
    with open_file(name, record_type) as file:
        check(file, keep_good=keep_good)
        yield from store(begin(file, source, again=again), file)


def check(file: OpenFile, *, keep_good: bool) -> None:
    """Reads a table to its end before any of it is stored. Raises BadFile."""
    if file.form != TABLE or keep_good:
        return
    if file.name == STANDARD_INPUT:
        raise BadFile(
            "A table from standard input cannot be checked before it is stored. Name "
            "the file, or say --keep-good to store the good rows.",
            code="unchecked",
        )
    rows, bad, first = 0, 0, None
    for part in file.parts():
        for problem in _problems(part):
            bad += 1
            first = first or problem
        rows += part.data.count(b"\n")
    if first is not None:
        raise BadFile(
            f"{file.told_name}, row {first.row}: {first.message} {bad:,} of {rows:,} "
            "rows cannot be stored, so none was. The header should be: "
            f"{tables.expected(file.record_type)}, … Correct the rows, or say "
            "--keep-good to store the others and keep these with their reason.",
            code=first.code,
        )


def _problems(part: Part) -> Iterator[Problem]:
    clock = inbox.clock_at(timezone.now())
    limit = settings.INGEST_MAX_LINE_BYTES
    for chunk in lines.chunks([part.data], max_line=limit):
        for refusal in reading.read(chunk, clock).refusals:
            verdict = part.flaws.get(refusal.line) or refusal.verdict
            row = part.first + refusal.line - 1
            yield Problem(row, verdict.code, verdict.message)


def begin(file: OpenFile, source: Source, *, again: bool = False) -> FileImport:
    """A new import, or the one of the same content that was left unfinished.

    Raises AlreadyImported, and BadFile where another process is at it.
    """
    earlier = None
    if file.sha256 is not None and not again:
        known = FileImport.objects.filter(source=source, sha256=file.sha256)
        earlier = known.exclude(state=State.REVERTED).order_by("-pk").first()
    if earlier is None:
        earlier = FileImport.objects.create(
            source=source,
            name=file.told_name,
            sha256=file.sha256,
            bytes_total=file.size,
        )
    _lock(earlier, file.told_name)
    # It may have ended while this process was looking.
    earlier.refresh_from_db()
    if earlier.state == State.DONE:
        raise AlreadyImported(file.told_name, earlier)
    FileImport.objects.filter(pk=earlier.pk).update(state=State.RUNNING)
    return earlier


def store(found: FileImport, file: OpenFile) -> Generator[Batch, None, None]:
    """Stores what is left of the file, a part at a time. Raises BadFile."""
    try:
        for part in file.parts(start=found.position, first=found.line):
            file.check_unchanged()
            batch = _store_part(found, part, file.told_name)
            if batch is not None:
                yield batch
        file.check_unchanged()
        if not found.parts.exists():
            raise BadFile(f"{file.told_name} holds no record.", code="empty_file")
        finish(found, State.DONE)
    except (BadFile, KeyboardInterrupt, GeneratorExit):
        finish(found, State.STOPPED)
        raise
    finally:
        _unlock(found)


@transaction.atomic
def _store_part(found: FileImport, part: Part, name: str) -> Batch | None:
    batch = None
    try:
        batch = writers.import_batch(
            [part.data],
            writers.Origin(found.source, way_in="file"),
            keep_noise=found.position > 0,
        )
    except EmptyBody:
        pass
    except IngestRefused as error:
        raise BadFile(
            f"{name}, from line {part.first}: {error.sentence}", code=error.code
        ) from None
    if batch is not None:
        found.parts.create(batch=batch, line=part.first)
        _name_flaws(batch, part.flaws)
    found.position = part.position
    found.line = part.first + part.data.count(b"\n")
    found.save(update_fields=["position", "line"])
    return batch


def _name_flaws(batch: Batch, flaws: dict[int, Flaw]) -> None:
    """Rows that only the table's form could judge get its reasons."""
    if not flaws:
        return
    kept = list(QuarantinedLine.objects.filter(batch=batch, line__in=flaws))
    for each in kept:
        each.code, each.message = flaws[each.line].code, flaws[each.line].message
    QuarantinedLine.objects.bulk_update(kept, ["code", "message"])


def finish(found: FileImport, state: str) -> None:
    found.state = state
    found.finished_at = timezone.now() if state == State.DONE else None
    found.save(update_fields=["state", "finished_at"])


def batches_of(found: FileImport) -> QuerySet[Batch]:
    return Batch.objects.filter(part__file_import=found)


def counts_of(found: FileImport) -> Counter[str]:
    """What became of all that was read so far, of every run of this import."""
    told = batches_of(found).aggregate(**{fate: Sum(fate) for fate in FATES})
    return Counter({fate: told[fate] or 0 for fate in FATES})


def waiting(found: FileImport) -> bool:
    """Whether a part was accepted and could not be stored yet."""
    return batches_of(found).exclude(state=Batch.State.STORED).exists()


def revert(found: FileImport, *, by: str) -> int:
    """Takes out what an import brought, as if it had never been; says how much.

    What another way brought too stays. Raises BadFile where another process imports.
    """
    _lock(found, found.name)
    try:
        order = takeback.exclude(
            batches_of(found),
            by=by,
            reason=f"Import {found.pk} of {found.name} reverted",
        )
        finish(found, State.REVERTED)
        takeback.go_on()
        order.refresh_from_db()
        return order.records
    finally:
        _unlock(found)


def _lock(found: FileImport, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, found.pk])
        if not cursor.fetchone()[0]:
            raise BadFile(
                f"{name} is being imported by another process (import {found.pk}).",
                code="busy",
            )


def _unlock(found: FileImport) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, found.pk])
