"""What an account's page shows."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from dashboard.account_changes import shown
from dashboard.days import day_table
from dashboard.evidence import linked_reasons
from dashboard.reveal import PRIVATE_FIELDS
from ingest.models import Account
from ingest.places.network_classes import is_disposable
from ingest.selectors import system_names
from investigations import access, selectors
from investigations.detection.selectors import account_reasons
from investigations.selectors import accounts as reads

Context = dict[str, object]


def account_context(request: HttpRequest, account: Account) -> Context:
    score = getattr(account, "score", None)
    habits = reads.habits(account)
    events = reads.last_events(account)
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
        "events": events,
        "system_names": system_names(
            [account.signup_asn, *(event.asn for event in events)]
        ),
        "disposable_mail": is_disposable(account.email_domain),
        "changes": [shown(change) for change in reads.changes_of(account)],
        "excerpts": reads.excerpts_of(account),
        "excerpts_kept_for": settings.RETENTION_EXCERPTS_DAYS,
        "effects": reads.effects_on(account),
        "labels": reads.labels_of(account),
        "private": [(label, getattr(account, key)) for key, label in PRIVATE_FIELDS],
        "may_reveal": access.can(request.user, access.REVEAL),
    }
