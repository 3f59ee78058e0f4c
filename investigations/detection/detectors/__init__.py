"""The catalogue, in the order people read it."""

from investigations.detection.detectors.balanced_starts import balanced_starts
from investigations.detection.detectors.base import Detector
from investigations.detection.detectors.continuation import continuation
from investigations.detection.detectors.egress_concentration import (
    egress_concentration,
)
from investigations.detection.detectors.private_template import private_template
from investigations.detection.detectors.prompt_sweep import prompt_sweep
from investigations.detection.detectors.rare_client_stack import rare_client_stack
from investigations.detection.detectors.reasoning_elicitation import (
    reasoning_elicitation,
)
from investigations.detection.detectors.release_pivot import release_pivot
from investigations.detection.detectors.shared_payment import shared_payment
from investigations.detection.detectors.signup_burst import signup_burst
from investigations.detection.detectors.synchronised_starts import (
    synchronised_starts,
)
from investigations.detection.detectors.tool_schema import tool_schema

CATALOGUE: tuple[Detector, ...] = (
    continuation,
    shared_payment,
    signup_burst,
    rare_client_stack,
    egress_concentration,
    private_template,
    tool_schema,
    reasoning_elicitation,
    prompt_sweep,
    balanced_starts,
    synchronised_starts,
    release_pivot,
)

__all__ = ["CATALOGUE", "Detector"]
