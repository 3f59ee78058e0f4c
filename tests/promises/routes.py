"""Who may open which address: the one table that tests/promises/test_access.py walks.

A row names a route of the URLconf, what fills its placeholders, and who may GET it and
who may POST to it. Everyone else is refused: people with 403, the anonymous by being
sent to sign in. `nobody` means that the method does not exist there (405). To "may" is
to be heard: an empty form is then answered with what is missing, not with a refusal.

To add a page: add one row. A route without a row, and a row without a route, fail.
"""

from dataclasses import dataclass, field

ANONYMOUS = "anonymous"
ROLES = ("viewer", "analyst", "lead", "manager", "auditor", "admin")

everyone = frozenset(ROLES)  # every person with a role
public = everyone | {ANONYMOUS}
nobody = frozenset[str]()
workers = frozenset({"analyst", "lead"})
approvers = frozenset({"lead"})
reporters = frozenset({"lead", "manager"})
watchers = frozenset({"lead", "auditor", "admin"})  # of what arrives
menders = frozenset({"lead", "admin"})  # of what was not stored
auditors = frozenset({"auditor", "admin"})
admins = frozenset({"admin"})
holders = frozenset({"lead", "admin"})  # of what must not be deleted with age


@dataclass(frozen=True)
class Route:
    """One row of the table."""

    name: str
    get: frozenset[str] = nobody
    post: frozenset[str] = nobody
    # What fills the placeholders; `{case}` and the like come from the test's world.
    fill: dict[str, str] = field(default_factory=dict)
    # For machines: without a key or a session the answer is 401, not a sign-in page.
    machine: bool = False
    # The one method there is; a key or a signature is the only way in, and a session
    # counts for nothing.
    key_only: str = ""


CASE = {"pk": "{case}"}
CLUSTER = {"pk": "{cluster_pk}"}
ACCOUNT = {"account_id": "{account}"}
INDICATOR = {"pk": "{indicator}"}
SIGNAL = {"signal": "shared_payment"}
WEEK = {"week": "2026-W40"}
DECISION = {"pk": "{decision}"}
PERSON = {"username": "vic"}
KEY = {"prefix": "{key}"}
RULES = {"number": "{rules}"}

TABLE = (
    # --- Coming in (allauth; what each does is tested in test_sign_in.py) ---
    Route("account_login", get=public, post=public),
    Route("account_logout", get=public, post=public),
    Route("account_inactive", get=public),
    Route("account_signup", get=public),
    Route("account_reset_password", get=public),
    Route("account_email", get=public),
    Route("sign_in_once", get=public, post=public, fill={"token": "{token}"}),
    Route("account_change_password", get=everyone, post=everyone),
    Route("account_set_password", get=everyone, post=everyone),
    Route("account_reauthenticate", get=everyone, post=everyone),
    Route("mfa_index", get=everyone),
    # Half-way in: without a password given before, back to sign-in.
    Route("mfa_authenticate", get=public, post=public),
    Route("mfa_reauthenticate", get=everyone, post=everyone),
    Route("mfa_activate_totp", get=everyone, post=everyone),
    Route("mfa_deactivate_totp", get=everyone, post=everyone),
    Route("mfa_view_recovery_codes", get=everyone),
    Route("mfa_generate_recovery_codes", get=everyone, post=everyone),
    Route("mfa_download_recovery_codes", get=everyone, post=everyone),
    Route("mfa_list_webauthn", get=everyone),
    Route("mfa_add_webauthn", get=everyone, post=everyone),
    Route("mfa_reauthenticate_webauthn", get=everyone, post=everyone),
    Route("mfa_remove_webauthn", get=everyone, post=everyone, fill={"pk": "1"}),
    Route("mfa_edit_webauthn", get=everyone, post=everyone, fill={"pk": "1"}),
    Route("mfa_login_webauthn", get=public, post=public),
    # --- Looking ---
    Route("overview", get=everyone),
    Route("overview_losses", get=everyone),
    Route("search", get=everyone),
    Route("clusters:list", get=everyone),
    Route("clusters:detail", get=everyone, fill=CLUSTER),
    Route("clusters:timeline", get=everyone, fill=CLUSTER),
    Route("clusters:graph", get=everyone, fill=CLUSTER),
    Route("clusters:evidence", get=everyone, fill={**CLUSTER, **SIGNAL}),
    Route("clusters:what_if", get=everyone, fill=CLUSTER),
    Route("clusters:open", post=workers, fill=CLUSTER),
    Route("accounts:list", get=everyone),
    Route("accounts:detail", get=everyone, fill=ACCOUNT),
    Route("accounts:reveal", post=workers, fill=ACCOUNT),
    Route("accounts:excerpts", post=workers, fill=ACCOUNT),
    Route("accounts:evidence", get=everyone, fill={**ACCOUNT, **SIGNAL}),
    Route("accounts:days", get=everyone, fill=ACCOUNT),
    Route("accounts:hours", get=everyone, fill=ACCOUNT),
    Route("indicators:list", get=everyone),
    Route("indicators:detail", get=everyone, fill=INDICATOR),
    Route("indicators:reveal", post=workers, fill=INDICATOR),
    Route("reports:list", get=everyone),
    Route("reports:exposure", get=everyone),
    Route("reports:week", get=everyone, fill=WEEK),
    Route("reports:freeze", post=reporters, fill=WEEK),
    Route("ingest:overview", get=watchers),
    Route("ingest:hours", get=watchers),
    Route("ingest:quarantine", get=watchers),
    # Its text is a customer's: unmasking it takes a lead, who may also watch.
    Route("ingest:line", get=watchers, post=approvers, fill={"pk": "{line}"}),
    Route("ingest:batch", get=watchers, fill={"batch_id": "{batch}"}),
    Route("ingest:try_again", post=menders, fill={"batch_id": "{batch}"}),
    # Which lines is in the query; without it there is nothing to replay.
    Route("ingest:replay", get=menders, post=menders),
    Route("ingest:discard_all", post=menders),
    Route("ingest:run", get=watchers, fill={"pk": "{run}"}),
    Route("ingest:mend", post=approvers, fill={"pk": "{line}"}),
    Route("ingest:again", post=menders, fill={"pk": "{line}"}),
    Route("ingest:discard", post=menders, fill={"pk": "{line}"}),
    Route("audit:list", get=auditors),
    # --- Cases ---
    Route("cases:queue", get=everyone),
    Route("cases:take", post=workers),
    Route("cases:detail", get=everyone, fill=CASE),
    Route("cases:head", get=everyone, fill=CASE),
    Route("cases:history", get=everyone, fill=CASE),
    Route("cases:evidence", get=everyone, fill={**CASE, **SIGNAL}),
    Route("cases:timeline", get=everyone, fill={**CASE, "step": "days"}),
    Route("cases:graph", get=everyone, fill=CASE),
    Route("cases:what_if", get=everyone, fill=CASE),
    Route("cases:assign", get=workers, post=workers, fill=CASE),
    Route("cases:note", get=workers, post=workers, fill=CASE),
    Route("cases:escalate", get=workers, post=workers, fill=CASE),
    Route("cases:close", get=workers, post=workers, fill=CASE),
    Route("cases:reopen", get=workers, post=workers, fill=CASE),
    Route("cases:reveal", get=workers, post=workers, fill=CASE),
    Route("cases:box", get=everyone, fill=CASE),
    Route("cases:preview", post=workers, fill=CASE),
    Route("cases:decide", post=workers, fill=CASE),
    Route(
        "cases:replay",
        get=workers,
        post=workers,
        fill={**CASE, "decision": "{decision}"},
    ),
    Route(
        "cases:restore",
        get=workers,
        post=workers,
        fill={**CASE, "decision": "{decision}"},
    ),
    # --- Approvals ---
    Route("approvals:list", get=everyone),
    Route("approvals:detail", get=everyone, fill=DECISION),
    Route("approvals:answer", post=approvers, fill=DECISION),
    # The analyst of this world asked for it; nobody else may take it back.
    Route("approvals:withdraw", post=frozenset({"analyst"}), fill=DECISION),
    # --- Settings ---
    Route("settings:people", get=admins),
    Route("settings:invite", post=admins),
    Route("settings:change_role", post=admins, fill=PERSON),
    Route("settings:renew_link", post=admins, fill=PERSON),
    Route("settings:deactivate", post=admins, fill=PERSON),
    Route("settings:reactivate", post=admins, fill=PERSON),
    Route("settings:keys", get=admins),
    Route("settings:issue_key", post=admins),
    Route("settings:key", get=admins, fill=KEY),
    Route("settings:rotate_key", post=admins, fill=KEY),
    Route("settings:change_key", post=admins, fill=KEY),
    Route("settings:revoke_key", post=admins, fill=KEY),
    Route("settings:take_back_key", get=admins, post=admins, fill=KEY),
    Route("settings:take_back_progress", get=admins, fill=KEY),
    Route("settings:retention", get=watchers),
    Route("settings:place_hold", post=holders),
    Route("settings:release_hold", post=holders, fill={"pk": "{hold}"}),
    Route("settings:rules", get=everyone),
    Route("settings:calibration", get=everyone),
    Route("settings:draft_rules", post=approvers),
    Route("settings:rules_version", get=everyone, fill=RULES),
    Route("settings:edit_rules", get=approvers, post=approvers, fill=RULES),
    Route("settings:update_rules", post=approvers, fill=RULES),
    Route("settings:propose_rules", post=approvers, fill=RULES),
    Route("settings:send_back_rules", post=approvers, fill=RULES),
    Route("settings:publish_rules", post=approvers, fill=RULES),
    Route("settings:discard_rules", post=approvers, fill=RULES),
    Route("settings:backtest_rules", post=approvers, fill=RULES),
    Route("settings:rules_trial", get=everyone, fill={**RULES, "pk": "{trial}"}),
    Route("settings:endpoint", get=admins),
    Route("settings:set_endpoint", post=admins),
    Route("settings:rotate_secret", post=admins),
    Route("settings:test_endpoint", post=admins),
    Route("settings:stop_endpoint", post=admins),
    # --- For machines ---
    Route("telemetry:telemetry", machine=True, key_only="post"),
    Route("telemetry:litellm", machine=True, key_only="post"),
    Route("otlp_traces", machine=True, key_only="post"),
    Route(
        "telemetry:batch", machine=True, key_only="get", fill={"batch_id": "{batch}"}
    ),
    Route("api:accounts", get=everyone, machine=True),
    Route("api:account", get=everyone, machine=True, fill=ACCOUNT),
    Route("api:clusters", get=everyone, machine=True),
    Route("api:cluster", get=everyone, machine=True, fill={"cluster_id": "{cluster}"}),
    Route(
        "api:cluster_members",
        get=everyone,
        machine=True,
        fill={"cluster_id": "{cluster}"},
    ),
    Route("schema", get=everyone, machine=True),
    Route("api_docs", get=everyone),
    Route("health", get=public),
    # --- The demo's pretend platform ---
    Route("demo:status", get=public),
    Route("demo:platform", get=everyone),
    Route("demo:effects", machine=True, key_only="post"),
    Route("demo:accounts", get=public),
)
