# ruff: noqa: ARG001 - the signatures are those that templates see
"""The functions that every template has, as in Jinja."""

from collections.abc import Mapping
from typing import Any, Final

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import Function, Namespace, pairs_of, whole

RANGE_MAX: Final = 100_000
"""A range has at most so many numbers."""


def make_range(run: Run, start: Any, stop: Any = None, step: Any = 1) -> range:
    """Whole numbers in order: up to ``start``, or from ``start`` to ``stop``; the end is not among them."""
    found = range(whole(start)) if stop is None else range(whole(start), whole(stop), whole(step))
    if len(found) > RANGE_MAX:
        raise Fault(f"a range has at most {RANGE_MAX} numbers")
    return found


def make_dict(run: Run, value: Any = None, /, **named: Any) -> dict[Any, Any]:
    """A mapping of what is given by name."""
    return {**(dict(pairs_of(run, value)) if value is not None else {}), **named}


def make_namespace(run: Run, value: Any = None, /, **named: Any) -> Namespace:
    """Values that loops and macros can set for those around them."""
    return Namespace(make_dict(run, value, **named))


STANDARD: Final[Mapping[str, Function]] = {"range": make_range, "dict": make_dict, "namespace": make_namespace}
"""By name."""
