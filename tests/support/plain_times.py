"""Whether a criterion holds for a number of calls, told plainly: for one number after the other."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_gateway.dialects.assertive.wire import Node, Operation, is_number


def holds(node: Node, count: int) -> bool:
    """Tell whether a criterion of the wire holds for a number of calls."""
    if not isinstance(node, Operation):
        return is_number(node) and bool(node == count)
    judge = _JUDGES.get(node.operator)
    return judge is not None and judge(node.given, count)


def verdict(node: Node, least: int, most: int) -> bool | None:
    """Tell whether it holds for all numbers between two, or for none of them; else None."""
    every = {holds(node, count) for count in range(least, most + 1)}
    return every.pop() if len(every) == 1 else None


def _compares(compare: Callable[[Any, Any], bool]) -> "_Judge":
    return lambda given, count: is_number(given["value"]) and compare(count, given["value"])


def _lies_between(given: Mapping[str, Any], count: int) -> bool:
    lower, upper = given["lower"], given["upper"]
    if not is_number(lower):
        return False
    return bool(lower <= count <= upper if given["is_inclusive"] else lower < count < upper)


_Judge = Callable[[Mapping[str, Any], int], bool]

_JUDGES: Final[Mapping[str, _Judge]] = {
    "$eq": lambda given, count: holds(given["value"], count),
    "$neq": lambda given, count: not holds(given["value"], count),
    "$gt": _compares(operator.gt),
    "$gte": _compares(operator.ge),
    "$lt": _compares(operator.lt),
    "$lte": _compares(operator.le),
    "$between": _lies_between,
    "$and": lambda given, count: all(holds(each, count) for each in given["items"]),
    "$or": lambda given, count: any(holds(each, count) for each in given["items"]),
    "$xor": lambda given, count: holds(given["left"], count) is not holds(given["right"], count),
    "$not": lambda given, count: not holds(given["value"], count),
    "$even": lambda _given, count: count % 2 == 0,
    "$odd": lambda _given, count: count % 2 == 1,
}
