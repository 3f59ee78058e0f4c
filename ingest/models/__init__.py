from ingest.models.accounts import Account, AccountRecord
from ingest.models.events import Event, EventKey
from ingest.models.excerpts import Excerpt
from ingest.models.imports import FileImport, FilePart
from ingest.models.networks import AddressTable, AutonomousSystem
from ingest.models.progress import Batch, QuarantinedLine, StaleDay, Watermark
from ingest.models.refusals import RefusedRequest, ReplayRun
from ingest.models.releases import ModelRelease
from ingest.models.responses import ResponseHash
from ingest.models.retention import LegalHold, LegalHoldAccount, RetentionRun
from ingest.models.rollups import AccountDay, UnsummedBatch
from ingest.models.sightings import Indicator, Sighting, UnsightedDays
from ingest.models.sources import IngestKey, KeyBlock, KeyRefusal, KeyUse, Source
from ingest.models.takeback import (
    EventRepeat,
    ReleaseRecord,
    TakeBack,
    TakeBackAccount,
    TakeBackTemplate,
)
from ingest.models.templates import Template, TemplateCandidate

__all__ = [
    "Account",
    "AccountDay",
    "AccountRecord",
    "AddressTable",
    "AutonomousSystem",
    "Batch",
    "Event",
    "EventKey",
    "EventRepeat",
    "Excerpt",
    "FileImport",
    "FilePart",
    "Indicator",
    "IngestKey",
    "KeyBlock",
    "KeyRefusal",
    "KeyUse",
    "LegalHold",
    "LegalHoldAccount",
    "ModelRelease",
    "QuarantinedLine",
    "RefusedRequest",
    "ReleaseRecord",
    "ReplayRun",
    "ResponseHash",
    "Sighting",
    "RetentionRun",
    "Source",
    "StaleDay",
    "TakeBack",
    "TakeBackAccount",
    "TakeBackTemplate",
    "Template",
    "TemplateCandidate",
    "UnsightedDays",
    "UnsummedBatch",
    "Watermark",
]
