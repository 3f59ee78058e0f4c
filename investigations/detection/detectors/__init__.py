"""The catalogue, in the order people read it."""

from investigations.detection.detectors.balanced_starts import balanced_starts
from investigations.detection.detectors.ban_response import ban_response
from investigations.detection.detectors.base import Detector
from investigations.detection.detectors.capability_concentration import (
    capability_concentration,
)
from investigations.detection.detectors.continuation import continuation
from investigations.detection.detectors.egress_concentration import (
    egress_concentration,
)
from investigations.detection.detectors.parameter_fixity import parameter_fixity
from investigations.detection.detectors.private_template import private_template
from investigations.detection.detectors.programme_farming import programme_farming
from investigations.detection.detectors.prompt_sweep import prompt_sweep
from investigations.detection.detectors.rare_client_stack import rare_client_stack
from investigations.detection.detectors.re_emergence import re_emergence
from investigations.detection.detectors.reasoning_elicitation import (
    reasoning_elicitation,
)
from investigations.detection.detectors.release_pivot import release_pivot
from investigations.detection.detectors.rubric_grading import rubric_grading
from investigations.detection.detectors.sameness import sameness
from investigations.detection.detectors.sensitive_rewrite import sensitive_rewrite
from investigations.detection.detectors.shared_payment import shared_payment
from investigations.detection.detectors.signup_burst import signup_burst
from investigations.detection.detectors.stop_and_start import stop_and_start
from investigations.detection.detectors.synchronised_starts import (
    synchronised_starts,
)
from investigations.detection.detectors.tool_schema import tool_schema

CATALOGUE: tuple[Detector, ...] = (
    continuation,
    shared_payment,
    programme_farming,
    signup_burst,
    rare_client_stack,
    egress_concentration,
    private_template,
    tool_schema,
    reasoning_elicitation,
    rubric_grading,
    sensitive_rewrite,
    capability_concentration,
    sameness,
    prompt_sweep,
    parameter_fixity,
    balanced_starts,
    synchronised_starts,
    stop_and_start,
    release_pivot,
    ban_response,
    re_emergence,
)

__all__ = ["CATALOGUE", "Detector"]
