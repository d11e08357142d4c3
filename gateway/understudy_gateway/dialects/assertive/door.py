"""The control plane of the dialect as an ASGI application: which call is which, and how its answer is written."""

from understudy_gateway.backend import Backend
from understudy_gateway.dialects.assertive.doorkeeper import Doorkeeper
from understudy_gateway.wire import App

BODY_BYTES_MAX = 2 * 1024 * 1024
"""A body of a stub may have 1 MiB; written as JSON in JSON it is longer."""


def build_door(backend: Backend, *, project: str, environment: str, body_bytes_max: int = BODY_BYTES_MAX) -> App:
    """Build the door to one environment, over a backend that trusts its caller (the caller closes it).

    ``body_bytes_max``: a longer request body is refused with 413 before more of it is kept.
    """
    return Doorkeeper(backend, project, environment, body_bytes_max)
