"""Criteria as they are shown: in the one form that the product gives them, whatever they were sent as."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_gateway.dialects.assertive.wire import Node, Operation


def shown(node: Node) -> Any:
    """Write a node as JSON: of a criterion its operator and all of its arguments, of what is plain itself."""
    if isinstance(node, Operation):
        show = _ARGUMENTS.get(node.operator)
        return {node.operator: show(node.given) if show else {name: shown(each) for name, each in node.given.items()}}
    if isinstance(node, dict):
        return {key: shown(each) for key, each in node.items()}
    if isinstance(node, list):
        return [shown(each) for each in node]
    return node


def shown_subset(members: Node) -> Any:
    """Write what `headers` and `query` ask for: of an object that is no criterion, the criterion that it stands for."""
    return shown(members if isinstance(members, Operation) else Operation("$key_values", {"key_values": members}))


def _criterion(node: Node) -> Any:
    """What is plain is shown as the equality that it stands for."""
    return shown(node if isinstance(node, Operation) else Operation("$eq", {"value": node}))


def _one(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda given: {name: _criterion(given[name])}


def _items(given: Mapping[str, Any]) -> Any:
    return {"items": [_criterion(each) for each in given["items"]]}


def _key_values(given: Mapping[str, Any]) -> Any:
    return {"key_values": {key: _criterion(each) for key, each in given["key_values"].items()}}


_ARGUMENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "$json": _one("inner_criteria"),
    "$length": _one("value"),
    "$contains": _items,
    "$contains_exactly": _items,
    "$key_values": _key_values,
    "$exact_key_values": _key_values,
}
