from ingest.models.accounts import Account
from ingest.models.events import Event, EventKey
from ingest.models.progress import Batch, QuarantinedLine, StaleDay, Watermark
from ingest.models.releases import ModelRelease
from ingest.models.responses import ResponseHash
from ingest.models.rollups import AccountDay
from ingest.models.sightings import Indicator, Sighting
from ingest.models.sources import IngestKey, KeyRefusal, Source
from ingest.models.templates import Template, TemplateCandidate

__all__ = [
    "Account",
    "AccountDay",
    "Batch",
    "Event",
    "EventKey",
    "Indicator",
    "IngestKey",
    "KeyRefusal",
    "ModelRelease",
    "QuarantinedLine",
    "ResponseHash",
    "Sighting",
    "Source",
    "StaleDay",
    "Template",
    "TemplateCandidate",
    "Watermark",
]
