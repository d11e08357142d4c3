"""Criteria, compiled."""

from understudy.v1.matching_pb2 import Criterion as CriterionMessage

from understudy_server.core.matching.criteria import Criterion, Equals, json_subset
from understudy_server.definitions.unusable import Unusable


def compile_criterion(message: CriterionMessage, path: str) -> Criterion:
    """Compile one criterion. ``path`` is that of the message. Raises Unusable."""
    match message.WhichOneof("test"):
        case "json_subset":
            return json_subset(message.json_subset)
        case "equals":
            return Equals(message.equals)
        case _:
            raise Unusable(path, "required", f"{path} says nothing to test")
