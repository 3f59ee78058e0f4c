"""What the machine calls a case."""

from investigations.detection.models import Cluster
from investigations.models import Case

KINDS = {
    Cluster.Verdict.DISTILLATION: "Distillation campaign",
    Cluster.Verdict.RESALE_POOL: "Resale pool",
}


def title_of(cluster: Cluster) -> str:
    return _named(cluster.verdict, cluster.size)


def title_when_opened(case: Case) -> str:
    """What `title_of` gave then; empty for a case about no cluster."""
    then = case.opened_on
    return _named(then["verdict"], then["size"]) if then else ""


def title_of_picked(accounts: int) -> str:
    return f"{accounts} account{'s' if accounts != 1 else ''} picked by hand"


def _named(verdict: str, size: int) -> str:
    kind = KINDS.get(Cluster.Verdict(verdict), "Linked group")
    return f"{kind} of {size} accounts"
