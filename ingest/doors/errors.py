"""Why a whole request is refused. One place in `api.py` makes problem+json of it.

A single bad line is no error: it gets a verdict of its own (`verdicts.py`) and the
lines beside it are stored.
"""

from collections.abc import Sequence
from typing import Self


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
    """The key does not open this door.

    `key_id` says whose it is where the secret was right, for us and not for who asks.
    """

    key_id: int | None = None

    def of(self, key_id: int) -> Self:
        self.key_id = key_id
        return self


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


class AddressNotAllowed(KeyRefused):
    status = 403
    code = "address_not_allowed"
    hint = "Send from an address the key is for, or ask an admin to add this one."

    def __init__(self, address: str | None) -> None:
        super().__init__(
            f"This key may not be used from {address or 'an unknown address'}."
        )


class SourceMismatch(KeyRefused):
    status = 403
    code = "source_mismatch"
    hint = "Leave X-Stillwatch-Source out, or use a key of that source."

    def __init__(self) -> None:
        super().__init__(
            "X-Stillwatch-Source names another source than this key belongs to."
        )


class KeyNotInForce(KeyRefused):
    """A key that is revoked or expired cannot be rotated."""

    status = 409
    code = "key_not_in_force"
    hint = "Make a new key instead."

    def __init__(self) -> None:
        super().__init__("This key is revoked or has expired.")


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


class LengthRequired(IngestRefused):
    """A body that was cut off would look like a whole one."""

    status = 411
    code = "length_required"
    hint = "Send Content-Length, or pack the lines with gzip or zstd."

    def __init__(self) -> None:
        super().__init__(
            "Of lines in chunks nobody can tell whether all of them came; nothing was "
            "kept."
        )


class TooSlow(IngestRefused):
    """The sender holds a place that others wait for."""

    status = 408
    code = "body_too_slow"
    hint = "Nothing was kept. Send the whole request again, faster or in smaller parts."

    def __init__(self, size: int) -> None:
        super().__init__(f"The body came too slowly: {size:,} bytes of it until now.")


class BrokenCompression(IngestRefused):
    hint = "Send the whole request again; nothing of it was kept."

    def __init__(self, sentence: str, form: str) -> None:
        super().__init__(sentence)
        self.code = f"broken_{form}"


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


class UnsupportedVersion(IngestRefused):
    """The sender follows another version of the contract than is understood here."""

    code = "unsupported_version"

    def __init__(self, told: str, supported: Sequence[str]) -> None:
        known = ", ".join(supported)
        super().__init__(
            f"Version {told[:20]!r} of the telemetry contract is not understood here.",
            hint=f"Send version {known}, or ask for a newer Stillwatch.",
        )
        self.supported = list(supported)


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


class QuotaExceeded(IngestRefused):
    """More than the key may send just now; `retry_after` is in seconds."""

    status = 429
    code = "quota_exceeded"
    hint = (
        "Nothing of this request was kept. Send it again after the seconds in "
        "Retry-After, in smaller requests if it alone is too much, or ask an admin "
        "for a higher limit."
    )

    def __init__(self, sentence: str, *, wait: int) -> None:
        super().__init__(sentence)
        self.retry_after = wait


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

    def __init__(self, sentence: str, *, code: str = "bad_file") -> None:
        super().__init__(sentence)
        self.code = code


class BadFix(IngestRefused):
    """A correction of a kept line that cannot be made."""

    code = "bad_fix"


class StillBad(IngestRefused):
    """A corrected line that is still no record; it is left as it was."""

    code = "still_bad"


class NothingToDo(IngestRefused):
    """What was asked to be done again was done, or is gone."""

    status = 409
    code = "nothing_to_do"
