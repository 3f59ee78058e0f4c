"""What drf-spectacular cannot read off the views: keys, and how refusals look."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from dashboard.api.problems import MEDIA_TYPE

# Refusals that any operation can give.
REFUSALS = {
    "400": "A parameter or the body cannot be used.",
    "401": "No key and no session, or a key that is not known.",
    "403": "The key lacks the scope, or the role may not.",
}
NOT_FOUND = {"404": "There is nothing at this address."}


class ReadKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "dashboard.api.authentication.ReadKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A machine key with the scope `read`, made under Settings.",
        }


def add_problems(
    result: dict[str, Any], generator: object, request: object, public: object
) -> dict[str, Any]:
    """Every refusal is problem+json; say so once and refer to it everywhere."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            refusals = REFUSALS | (NOT_FOUND if "{" in path else {})
            for status, description in refusals.items():
                responses.setdefault(status, problem(description))
            for response in responses.values():
                if MEDIA_TYPE in response.get("content", {}):
                    response["content"] = problem("")["content"]
    result["paths"]["/health/"] = {"get": HEALTH}
    result["components"]["schemas"]["Problem"] = PROBLEM
    return result


def problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


HEALTH_REPORT = {
    "type": "object",
    "required": ["status", "reasons"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "stalled", "down"]},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "work": {"type": "object", "additionalProperties": {"type": "object"}},
    },
}
HEALTH = {
    "operationId": "read_health",
    "description": "Whether the database answers and work is moving. Public.",
    "tags": ["health"],
    "security": [{}],
    "responses": {
        status: {
            "description": description,
            "content": {"application/json": {"schema": HEALTH_REPORT}},
        }
        for status, description in (
            ("200", "Work is moving."),
            ("503", "It stalls, for the reasons named."),
        )
    },
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457, with `code`, `hint` and `errors` besides.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in a sentence."},
        "instance": {"type": "string", "description": "Holds the request id."},
        "code": {"type": "string", "description": "For programs; does not change."},
        "hint": {"type": "string", "description": "What to do about it."},
        "where": {"type": "string", "description": "The place in the body."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "parameter": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
