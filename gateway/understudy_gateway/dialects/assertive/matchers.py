"""What a stub or an assertion asks of requests, made into a matcher of ours."""

import re
from collections.abc import Mapping
from typing import Any, Final

from understudy.v1.matching_pb2 import RequestMatcher

from understudy_gateway.dialects.assertive import criteria, paths
from understudy_gateway.dialects.assertive.criteria import Subject

# A method that is sent is in upper case, and one that is not is a text that none equals.
_METHOD: Final = re.compile(r"[A-Z][A-Z0-9_-]{0,31}", re.ASCII)


def matcher(given: Mapping[str, Any], *, patterns: bool) -> RequestMatcher:
    """Make the matcher of the six parts of a request, each a node (`wire.parse`), or None where nothing is asked.

    ``patterns``: a path that is a text may have `{name}` in it; otherwise it stands for itself, slashes and all.
    """
    made = RequestMatcher()
    _ask_for_method(made, given["method"])
    _ask_for_path(made, given["path"], patterns=patterns)
    if given["headers"] is not None:
        made.all_headers.CopyFrom(criteria.subset(given["headers"]))
    if given["query"] is not None:
        made.all_query.CopyFrom(criteria.subset(given["query"]))
    if given["body"] is not None:
        made.body.CopyFrom(criteria.criterion(given["body"], Subject.BODY))
    if given["host"] is not None:
        made.host.CopyFrom(criteria.criterion(given["host"], Subject.HEAD))
    return made


def fit_nothing(made: RequestMatcher) -> None:
    """Make a matcher one that no request fits, with what it asks for beside that."""
    never = criteria.never()
    found = criteria.both(never, made.all_headers) if made.HasField("all_headers") else never
    made.all_headers.CopyFrom(found)


def _ask_for_method(made: RequestMatcher, node: Any) -> None:
    if isinstance(node, str) and _METHOD.fullmatch(node):
        made.method = node
    elif node is not None:
        made.method_criterion.CopyFrom(criteria.criterion(node, Subject.HEAD))


def _ask_for_path(made: RequestMatcher, node: Any, *, patterns: bool) -> None:
    if patterns and isinstance(node, str):
        made.path = paths.pattern(node)
    elif node is not None:
        made.path_criterion.CopyFrom(criteria.criterion(node, Subject.HEAD))
