"""What an account's page shows."""

from django.http import HttpRequest
from django.urls import reverse

from dashboard.days import day_table
from dashboard.evidence import linked_reasons
from dashboard.reveal import PRIVATE_FIELDS
from ingest.models import Account
from investigations import access, selectors
from investigations.detection.selectors import account_reasons
from investigations.selectors import accounts as reads

Context = dict[str, object]


def account_context(request: HttpRequest, account: Account) -> Context:
    score = getattr(account, "score", None)
    habits = reads.habits(account)
    return {
        "account": account,
        "score": score,
        "standing": selectors.standings([account.pk])[account.pk],
        "reasons": linked_reasons(
            account_reasons(account),
            lambda signal: reverse(
                "accounts:evidence", args=[account.external_id, signal]
            ),
        ),
        "habits": habits,
        "days": day_table(habits.days, habits.models),
        "hour_columns": ["Hour", "Requests"],
        "hour_rows": [
            [f"{hour:02d}:00", f"{count:,}"] for hour, count in enumerate(habits.hours)
        ],
        "sightings": reads.sightings_of(account),
        "events": reads.last_events(account),
        "effects": reads.effects_on(account),
        "labels": reads.labels_of(account),
        "private": [(label, getattr(account, key)) for key, label in PRIVATE_FIELDS],
        "may_reveal": access.can(request.user, access.REVEAL),
    }
