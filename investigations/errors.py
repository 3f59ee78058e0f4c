"""What can go wrong in words of the domain. One handler makes pages and JSON of it."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal a person can act on: a status, a code and a sentence."""

    status = 400
    code = "refused"
    hint = ""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class AboutAccounts(DomainError):
    """A refusal that some accounts cause; `accounts` are their external ids."""

    def __init__(self, sentence: str, accounts: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.accounts = list(accounts)


class BadHold(DomainError):
    """A legal hold names something that is not there; `field` of the form says what."""

    code = "bad_hold"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NotAllowed(DomainError):
    status = 403
    code = "not_allowed"


class NotFound(DomainError):
    status = 404
    code = "not_found"


class IllegalMove(DomainError):
    """The case cannot go from where it is to where it was sent."""

    status = 409
    code = "illegal_move"


class StaleCase(DomainError):
    """Someone changed the case since this page was opened.

    `changes` says who did what meanwhile: [{at, by, verb, reason}], oldest first.
    """

    status = 409
    code = "stale_case"
    hint = "Look at what changed and send it again; your text is still here."

    def __init__(self, sentence: str, changes: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.changes = list(changes)


class AlreadyOpen(DomainError):
    """The cluster has an unfinished case."""

    status = 409
    code = "already_open"
    hint = "Work in the case that is open."


class AlreadyDecided(DomainError):
    status = 409
    code = "already_decided"


class AlreadyAnswered(DomainError):
    """The approval was given, refused, withdrawn or has expired."""

    status = 409
    code = "already_answered"


class ApprovalExpired(DomainError):
    status = 409
    code = "approval_expired"
    hint = "The case is back in review: look again and decide anew."


class SecondPersonNeeded(DomainError):
    status = 403
    code = "second_person_needed"


class ListChanged(DomainError):
    """The accounts are not the ones that were previewed or approved."""

    status = 409
    code = "list_changed"
    hint = "Open the preview again and look at who is hit now."


class EmptyList(DomainError):
    code = "empty_list"
    hint = "Choose at least one account."


class EmptyNote(DomainError):
    code = "empty_note"
    hint = "Write what the next person should know."


class NotInCase(AboutAccounts):
    """An account that belongs neither to the case's cluster nor to its own list."""

    status = 409
    code = "not_in_case"
    hint = "Open the preview again: the cluster may have changed."


class ProtectedAccounts(AboutAccounts):
    """The list names customers who may not be swept up; nothing was done."""

    status = 409
    code = "protected_accounts"
    hint = "Take the named accounts out of the list and preview it again."


class NotRestorable(AboutAccounts):
    """Accounts this decision did not take anything from; nothing was done."""

    status = 409
    code = "not_restorable"
    hint = "Choose to restore the others only."


class BadReason(DomainError):
    code = "bad_reason"
    hint = "Say in at least 20 characters what you saw and why it breaks the policy."


class BadVerdict(DomainError):
    code = "bad_verdict"


class BadGround(DomainError):
    code = "bad_ground"


class BadOutcome(DomainError):
    code = "bad_outcome"


class TooLong(DomainError):
    status = 413
    code = "too_long"


class BadEndpoint(DomainError):
    """The webhook's address may not be used; the sentence says why."""

    code = "bad_endpoint"


class NotYet(DomainError):
    """The week is not over: its summary can be looked at, not frozen."""

    status = 409
    code = "not_yet"


class BadRules(DomainError):
    """Values that may not be; `problems`: key of a setting → what to change."""

    code = "bad_rules"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class RulesMoved(DomainError):
    """The version is not where, or not what, the person was looking at."""

    status = 409
    code = "rules_moved"


class RulesOutOfDate(RulesMoved):
    """Another version went live since the draft was begun."""

    code = "rules_out_of_date"
    hint = "Its author brings it up to date, and what it says is looked at again."
