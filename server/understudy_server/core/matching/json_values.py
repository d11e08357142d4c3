"""JSON as criteria see it: read without fuss, compared as a deep subset, measured in leaves."""

from typing import Any

from understudy_server.core.json_reading import (
    PARSED_BYTES_MAX,
    UNREADABLE,
    read,
    read_in_parts,
    steps_to_read,
    takes_parts,
)

__all__ = [
    "PARSED_BYTES_MAX",
    "UNREADABLE",
    "count_leaves",
    "is_subset",
    "read",
    "read_in_parts",
    "steps_to_read",
    "takes_parts",
]


def is_subset(wanted: Any, given: Any) -> bool:
    """Tell whether ``given`` contains ``wanted``: objects by key, lists by equal length and position, numbers by value.

    ``True`` is not 1, although Python says so. Recursion is bounded by ``wanted``, which was read from a mock.
    """
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and is_subset(value, given[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(wanted) == len(given)
            and all(is_subset(value, other) for value, other in zip(wanted, given, strict=True))
        )
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    return bool(wanted == given)


def count_leaves(value: Any) -> int:
    """Count the values that hold no others. An empty object or list asks for its kind, and so counts as one."""
    if isinstance(value, dict) and value:
        return sum(count_leaves(item) for item in value.values())
    if isinstance(value, list) and value:
        return sum(count_leaves(item) for item in value)
    return 1
