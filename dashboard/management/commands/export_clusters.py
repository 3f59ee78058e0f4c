"""export_clusters: one row a cluster, as the contract has it."""

from dashboard import exports
from dashboard.management.export import ExportCommand


class Command(ExportCommand):
    help = "Write every cluster with verdict, members and exposure to a file."
    noun = "clusters"
    schema = exports.CLUSTER_SCHEMA

    def rows(self) -> exports.Rows:
        return exports.cluster_rows()
