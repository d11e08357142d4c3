"""An assertion: which calls are meant, and how many of them there must be."""

from dataclasses import dataclass
from typing import Any, Final

from understudy.v1.matching_pb2 import RequestMatcher

from understudy_gateway.dialects.assertive import payloads
from understudy_gateway.dialects.assertive.matchers import matcher
from understudy_gateway.dialects.assertive.wire import Node, Operation

_ONCE_AT_LEAST: Final = Operation("$gte", {"value": 1})


@dataclass(frozen=True, slots=True)
class Assertion:
    """``matcher`` says which calls are counted, ``times`` is the criterion on their number."""

    matcher: RequestMatcher
    times: Node = _ONCE_AT_LEAST


def translate(payload: Any) -> Assertion:
    """Translate what was asked, a JSON value (`reading.read`). Raises Invalid.

    A path that is a text stands for itself, with its braces and its slashes.
    """
    given = payloads.assertion(payload)
    wanted = given["times"]
    return Assertion(matcher(given, patterns=False), _ONCE_AT_LEAST if wanted is None else wanted)
