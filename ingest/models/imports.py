"""Files that were imported, and how far: what lets a killed import go on."""

from django.db import models

from ingest.models.progress import Batch
from ingest.models.sources import Source


class FileImport(models.Model):
    """One file, known by its content. Standard input has no hash and cannot go on.

    `position` is where the next part begins, in what the file's form counts (bytes,
    elements, rows), `line` the number of its first line; both move with each part, in
    the transaction that stores it.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        STOPPED = "stopped"
        DONE = "done"
        REVERTED = "reverted"

    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    # As it was given, made safe to show; nothing is ever opened by it.
    name = models.CharField(max_length=400)
    sha256 = models.BinaryField(max_length=32, null=True, db_index=True)
    bytes_total = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    position = models.BigIntegerField(default=0)
    line = models.BigIntegerField(default=1)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"import {self.pk} of {self.name}"


class FilePart(models.Model):
    """A part of a file that became a batch; `line` is where it began in the file."""

    file_import = models.ForeignKey(
        FileImport, on_delete=models.CASCADE, related_name="parts"
    )
    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, related_name="part")
    line = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.file_import_id} from line {self.line}"
