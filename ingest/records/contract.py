"""The telemetry contract as JSON Schema (2020-12), made from the structs. Pure.

`python -m ingest.records.contract FOLDER` writes one file for each record type.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from ingest.records.schemas import BY_TYPE

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HOME = "urn:stillwatch:telemetry:v1:"


def schema_of(record_type: str) -> dict[str, Any]:
    """One record type's schema, complete in itself."""
    (_,), components = msgspec.json.schema_components([BY_TYPE[record_type]])
    (body,) = components.values()
    title = record_type.replace("_", " ").capitalize()
    return {
        "$schema": DIALECT,
        "$id": f"{_HOME}{record_type}",
        "title": title,
        **{name: value for name, value in body.items() if name != "title"},
    }


def record_schema() -> dict[str, Any]:
    """Any one record, told apart by its `type`; nothing is referred to elsewhere."""
    shapes = []
    for record_type in BY_TYPE:
        shape = schema_of(record_type)
        shapes.append({name: shape[name] for name in shape if not name.startswith("$")})
    return {"oneOf": shapes, "discriminator": {"propertyName": "type"}}


def documents() -> dict[str, str]:
    """File name → its text, as `docs/contract/` holds it."""
    return {
        f"{record_type}.schema.json": json.dumps(schema_of(record_type), indent=2)
        + "\n"
        for record_type in BY_TYPE
    }


if __name__ == "__main__":
    for name, text in documents().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
