"""Why a whole request is refused. One place in `api.py` makes problem+json of it.

A single bad line is no error: it gets a verdict of its own (`verdicts.py`) and the
lines beside it are stored.
"""


class IngestRefused(Exception):
    """A refusal a sender can act on: a status, a code, a sentence and what to do."""

    status = 400
    code = "refused"
    hint = ""

    def __init__(self, sentence: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint or self.hint
        self.where = where


class KeyRefused(IngestRefused):
    """The key does not open this door."""


class UnknownKey(KeyRefused):
    """Absent, malformed, unknown, expired or revoked: always the same words."""

    status = 401
    code = "unknown_key"
    hint = "Send `Authorization: Bearer sw_…` with a key that is in force."

    def __init__(self) -> None:
        super().__init__("This key is not known here.")


class WrongScope(KeyRefused):
    status = 403
    code = "wrong_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This key does not have the scope `{scope}`.",
            hint=f"Use a key with the scope `{scope}`, or ask an admin for one.",
        )


class KeyInAddress(KeyRefused):
    code = "key_in_url"
    hint = "Make a new key and send it in the Authorization header."

    def __init__(self) -> None:
        super().__init__(
            "A key stood in the address, where logs keep it. It has been revoked."
        )


class EmptyBody(IngestRefused):
    code = "empty_body"
    hint = "Send at least one record, one JSON object a line."

    def __init__(self) -> None:
        super().__init__("The body holds no record.")


class Unreadable(IngestRefused):
    """Not one line could be read, so that nothing was kept."""

    def __init__(self, code: str, sentence: str, where: str) -> None:
        super().__init__(
            sentence,
            hint="Send one complete JSON object a line, or one JSON array of objects.",
            where=where,
        )
        self.code = code


class Incomplete(IngestRefused):
    code = "incomplete_body"
    hint = "Send the whole request again; nothing of it was kept."


class BrokenCompression(IngestRefused):
    code = "broken_gzip"
    hint = "Send the whole request again; nothing of it was kept."


class TooLarge(IngestRefused):
    status = 413
    code = "body_too_large"
    hint = "Split the records over several requests."


class TooManyLines(TooLarge):
    code = "too_many_lines"


class WrongMediaType(IngestRefused):
    status = 415
    code = "wrong_content_type"


class WrongEncoding(IngestRefused):
    status = 415
    code = "wrong_content_encoding"


class WrongMethod(IngestRefused):
    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Only {allowed} is taken here.", hint=f"Use {allowed}.")
        self.allowed = allowed


class KeyReused(IngestRefused):
    status = 422
    code = "idempotency_key_reused"
    hint = "Use a new Idempotency-Key for a new body."

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before with another body.")


class BadIdempotencyKey(IngestRefused):
    code = "bad_idempotency_key"
    hint = "Use 1 to 256 printable ASCII characters."

    def __init__(self) -> None:
        super().__init__("The Idempotency-Key cannot be used.")


class Unavailable(IngestRefused):
    """Nothing was kept; the sender should come again."""

    status = 503
    code = "database_unavailable"
    hint = "Send the same request again after the seconds in Retry-After."

    def __init__(self) -> None:
        super().__init__("The database does not answer, so that nothing was kept.")


class BadFile(IngestRefused):
    """A file that `manage.py ingest` cannot take."""

    code = "bad_file"
