"""export_accounts: one row an account, as the contract has it."""

from dashboard import exports
from dashboard.management.export import ExportCommand


class Command(ExportCommand):
    help = "Write every account with score, band, cluster and reasons to a file."
    noun = "accounts"
    schema = exports.ACCOUNT_SCHEMA

    def rows(self) -> exports.Rows:
        return exports.account_rows()
