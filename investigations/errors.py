"""What can go wrong in words of the domain. One handler makes pages and JSON of it."""


class DomainError(Exception):
    """A refusal a person can act on: a status, a code and a sentence."""

    status = 400
    code = "refused"
    hint = ""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAllowed(DomainError):
    status = 403
    code = "not_allowed"


class IllegalMove(DomainError):
    """The case cannot go from where it is to where it was sent."""

    status = 409
    code = "illegal_move"


class StaleCase(DomainError):
    """Someone changed the case since this page was opened."""

    status = 409
    code = "stale_case"
    hint = "Look at what changed and send it again; your text is still here."


class AlreadyDecided(DomainError):
    status = 409
    code = "already_decided"


class SecondPersonNeeded(DomainError):
    status = 403
    code = "second_person_needed"


class ListChanged(DomainError):
    """The accounts are not the ones that were previewed or approved."""

    status = 409
    code = "list_changed"


class BadReason(DomainError):
    code = "bad_reason"
    hint = "Say in at least 20 characters what you saw and why it breaks the policy."
