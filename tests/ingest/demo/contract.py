"""The telemetry contract's limits, written out by hand from its text."""

import ipaddress
from datetime import UTC, datetime, timedelta

ENDS_AT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ID, STRING, HASH, TEXT = 128, 256, 64, 32 * 1024
PLANS = {"free", "pay_as_you_go", "team", "enterprise"}
PROGRAMS = {"none", "education", "research", "startup"}
VERIFICATIONS = {"none", "email", "phone", "payment", "identity", "organization"}
CONTRACTS = {"standard", "reseller", "evaluation", "distillation_licensed"}
STATUSES = {"active", "restricted", "banned", "closed"}
OPERATIONS = {"chat", "completion", "embeddings", "batch"}
KINDS = {
    "signup",
    "login",
    "payment_added",
    "key_created",
    "key_rotated",
    "verification_passed",
}
LONGER = {"prompt": TEXT, "system_prompt": TEXT, "response": TEXT}
LONGER |= {"user_agent": 1024, "signup_user_agent": 1024}
SHORTER = {"event_id": ID, "account_id": ID}
SHORTER |= {"system_hash": HASH, "tools_hash": HASH, "response_hash": HASH}
COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "latency_ms",
    "tool_count",
    "image_count",
)
FIELDS = {
    "account": {
        "type",
        "account_id",
        "updated_at",
        "created_at",
        "email",
        "display_name",
        "organization_id",
        "organization",
        "phone_hash",
        "phone_country",
        "payment_fingerprint",
        "payment_country",
        "signup_ip",
        "signup_device_id",
        "signup_user_agent",
        "plan",
        "program",
        "verification",
        "contract",
        "referrer",
        "status",
    },
    "request": {
        "type",
        "event_id",
        "occurred_at",
        "account_id",
        "api_key_id",
        "model",
        "operation",
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
        "reasoning_tokens",
        "max_tokens",
        "temperature",
        "latency_ms",
        "http_status",
        "finish_reason",
        "stream",
        "tool_count",
        "image_count",
        "conversation_id",
        "turn",
        "client_ip",
        "asn",
        "country",
        "user_agent",
        "ja4",
        "device_id",
        "prompt",
        "system_prompt",
        "system_hash",
        "tools_hash",
        "response",
        "response_hash",
        "prior_response_hashes",
    },
    "activity": {
        "type",
        "event_id",
        "occurred_at",
        "account_id",
        "kind",
        "client_ip",
        "asn",
        "country",
        "user_agent",
        "ja4",
        "device_id",
        "payment_fingerprint",
    },
    "model_release": {"type", "model", "released_at"},
}
REQUIRED = {
    "account": {"account_id", "updated_at"},
    "request": {
        "event_id",
        "occurred_at",
        "account_id",
        "model",
        "input_tokens",
        "output_tokens",
    },
    "activity": {"event_id", "occurred_at", "account_id", "kind"},
    "model_release": {"model", "released_at"},
}
CHOICES = {
    "plan": PLANS,
    "program": PROGRAMS,
    "verification": VERIFICATIONS,
    "contract": CONTRACTS,
    "status": STATUSES,
    "operation": OPERATIONS,
    "kind": KINDS,
}
ALLOWED_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "2001:db8::/32",
    )
]
ALLOWED_ASNS = {*range(64496, 64512), *range(65536, 65552)}


def moment(record):
    return datetime.fromisoformat(
        record.get("occurred_at") or record.get("updated_at") or record["released_at"]
    )


def complaints(record, *, now: datetime) -> list[str]:
    """What the contract would say against the record; empty where it is fine."""
    kind = record["type"]
    said = [f"unknown {name}" for name in record.keys() - FIELDS[kind]]
    said += [f"missing {name}" for name in REQUIRED[kind] - record.keys()]
    for name, value in record.items():
        if isinstance(value, str):
            limit = SHORTER.get(name, LONGER.get(name, STRING))
            if len(value.encode()) > limit:
                said.append(f"long {name}")
        if name in CHOICES and value not in CHOICES[name]:
            said.append(f"{name}={value}")
        if name in COUNTS and (not isinstance(value, int) or value < 0):
            said.append(f"{name}={value}")
        if name.endswith("_at"):
            at = datetime.fromisoformat(value)
            too_old = now - at > timedelta(days=390) and kind == "request"
            if at.tzinfo is None or at > now + timedelta(hours=24) or too_old:
                said.append(f"{name}={value}")
    said += _complaints_about_hashes(record)
    return said + _complaints_about_network(record)


def _complaints_about_hashes(record) -> list[str]:
    priors = record.get("prior_response_hashes", [])
    if len(priors) > 3 or any(len(prior) > HASH for prior in priors):
        return ["prior_response_hashes"]
    return [] if record.get("turn", 1) >= 1 else ["turn"]


def _complaints_about_network(record) -> list[str]:
    said = []
    for name in ("client_ip", "signup_ip"):
        if name in record:
            ip = ipaddress.ip_address(record[name])
            if not any(ip in network for network in ALLOWED_NETWORKS):
                said.append(f"{name}={ip}")
    if "asn" in record and record["asn"] not in ALLOWED_ASNS:
        said.append(f"asn={record['asn']}")
    country = record.get("country", "DE")
    if len(country) != 2 or not country.isupper():
        said.append(f"country={country}")
    return said
