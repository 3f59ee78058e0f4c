"""The shape of each record, exactly as the telemetry contract has it.

msgspec decodes a whole chunk of lines into these structs and enforces types, ranges
and lengths while it does. A field without a default is required; null means absent.
`TEXTS` are the fields that a customer's program chose: too long is cut, not refused.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from ingest import fingerprints

INT64: Final = 2**63 - 1
INT32: Final = 2**31 - 1

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Short = Annotated[str, Meta(max_length=256)]
Hash = Annotated[str, Meta(max_length=64)]
# Patterns are only told: what does not fit them gets a verdict of its own.
Country = Annotated[
    str,
    Meta(
        max_length=2,
        description="ISO 3166-1 alpha-2",
        extra_json_schema={"pattern": "^([A-Za-z]{2})?$"},
    ),
]
Address = Annotated[str, Meta(max_length=256, description="IPv4 or IPv6 address")]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]
Count = Annotated[int, Meta(ge=0, le=INT64)]
SmallCount = Annotated[int, Meta(ge=0, le=INT32)]
Agent = Annotated[str, Meta(description="cut at 1,024 characters")]
Label = Annotated[str, Meta(description="cut at 256 characters")]
Written = Annotated[
    str,
    Meta(
        max_length=2048,
        description="what `fingerprint` of ingest/fingerprints.py makes of the prompt",
        extra_json_schema={"pattern": "^(f1:.*)?$"},
    ),
]
Text = Annotated[str, Meta(description="cut at 32 KiB; fingerprinted, not kept")]

# Field → how many characters are kept of it.
TEXTS: Final[dict[str, int]] = {
    "user_agent": 1024,
    "signup_user_agent": 1024,
    "display_name": 256,
    "organization": 256,
    "referrer": 256,
}
LONG_TEXTS: Final = ("prompt", "system_prompt", "response")
LONG_TEXT_BYTES: Final = fingerprints.MAX_TEXT_BYTES


class _Record(Struct, tag_field="type", omit_defaults=True, gc=False):
    """Absent fields stay absent when a record is written again: see `reading.py`."""


class Account(_Record, tag="account", kw_only=True):
    """Create or update an account; of each field the newest `updated_at` wins."""

    account_id: Id
    updated_at: Time
    created_at: Time | None = None
    email: Short | None = None
    email_domain: Short | None = None
    email_hash: Short | None = None
    display_name: Label | None = None
    organization_id: Short | None = None
    organization: Label | None = None
    phone_hash: Short | None = None
    phone_country: Country | None = None
    payment_fingerprint: Short | None = None
    payment_country: Country | None = None
    signup_ip: Address | None = None
    signup_device_id: Short | None = None
    signup_user_agent: Agent | None = None
    plan: Literal["free", "pay_as_you_go", "team", "enterprise"] | None = None
    program: Literal["none", "education", "research", "startup"] | None = None
    verification: (
        Literal["none", "email", "phone", "payment", "identity", "organization"] | None
    ) = None
    contract: (
        Literal["standard", "reseller", "evaluation", "distillation_licensed"] | None
    ) = None
    referrer: Label | None = None
    status: Literal["active", "restricted", "banned", "closed"] | None = None


class Request(_Record, tag="request", kw_only=True):
    """One exchange with a model."""

    event_id: Id
    occurred_at: Time
    account_id: Id
    api_key_id: Short | None = None
    model: Name
    operation: Literal["chat", "completion", "embeddings", "batch"] | None = None
    input_tokens: Count
    output_tokens: Count
    cached_input_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    max_tokens: float | None = None
    temperature: float | None = None
    latency_ms: Count | None = None
    http_status: SmallCount | None = None
    finish_reason: Short | None = None
    stream: bool | None = None
    tool_count: SmallCount | None = None
    image_count: SmallCount | None = None
    conversation_id: Short | None = None
    turn: Annotated[int, Meta(ge=1, le=INT32)] | None = None
    client_ip: Address | None = None
    asn: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    country: Country | None = None
    user_agent: Agent | None = None
    ja4: Short | None = None
    device_id: Short | None = None
    prompt: Text | None = None
    prompt_fingerprint: Written | None = None
    system_prompt: Text | None = None
    system_hash: Hash | None = None
    tools_hash: Hash | None = None
    response: Text | None = None
    response_hash: Hash | None = None
    prior_response_hashes: Annotated[list[Hash], Meta(max_length=3)] | None = None


class Activity(_Record, tag="activity", kw_only=True):
    """What an account did outside the model."""

    event_id: Id
    occurred_at: Time
    account_id: Id
    kind: Literal[
        "signup",
        "login",
        "payment_added",
        "key_created",
        "key_rotated",
        "verification_passed",
    ]
    client_ip: Address | None = None
    asn: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    country: Country | None = None
    user_agent: Agent | None = None
    ja4: Short | None = None
    device_id: Short | None = None
    payment_fingerprint: Short | None = None


class ModelRelease(_Record, tag="model_release", kw_only=True):
    """When a model came out, so that a swift move to it shows."""

    model: Name
    released_at: Time


Record = Account | Request | Activity | ModelRelease
Event = Request | Activity
BY_TYPE: Final[dict[str, type[_Record]]] = {
    "account": Account,
    "request": Request,
    "activity": Activity,
    "model_release": ModelRelease,
}
FIELDS: Final[dict[str, frozenset[str]]] = {
    name: frozenset((*struct.__struct_fields__, "type"))
    for name, struct in BY_TYPE.items()
}
