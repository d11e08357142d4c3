"""JSON values compared within other criteria: in counted steps, and with what differs. See `json_values.is_subset`."""

from typing import Any, NamedTuple

from understudy_server.core.matching.distances import between_scalars
from understudy_server.core.matching.json_values import count_leaves
from understudy_server.core.matching.mismatch import cut
from understudy_server.core.matching.wording import shown_json, step
from understudy_server.core.steps import Steps

_STEPS_FOR_EACH = 3

# To compare more than so many takes longer than anybody is helped by.
_LEAVES_COMPARED_MAX = 1000


def contains(given: Any, wanted: Any, steps: Steps) -> bool:
    """Tell whether ``given`` contains ``wanted``: objects by key, lists by equal length and position, numbers by value.

    Recursion is bounded by ``wanted``, which was read from a mock. Raises TooManySteps.
    """
    return _compare(given, wanted, steps, exact=False)


def equal(given: Any, wanted: Any, steps: Steps) -> bool:
    """Tell whether the two are the same: keys, elements, numbers by value. Raises TooManySteps, as `contains`."""
    return _compare(given, wanted, steps, exact=True)


def _compare(given: Any, wanted: Any, steps: Steps, *, exact: bool) -> bool:
    steps.take(_STEPS_FOR_EACH)
    if isinstance(wanted, dict):
        if not isinstance(given, dict) or (exact and len(given) != len(wanted)):
            return False
        for name, value in wanted.items():
            if name not in given or not _compare(given[name], value, steps, exact=exact):
                return False
        return True
    if isinstance(wanted, list):
        if not isinstance(given, list) or len(wanted) != len(given):
            return False
        return all(_compare(other, value, steps, exact=exact) for value, other in zip(wanted, given, strict=True))
    return same_scalar(given, wanted)


def same_scalar(given: Any, wanted: Any) -> bool:
    """Compare with a value that holds no others. ``True`` is not 1, although Python says so."""
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    return bool(wanted == given)


def distance(given: Any, wanted: Any) -> float:
    """How far ``given`` is from containing ``wanted``: the mean over the values asked for; never 0."""
    if count_leaves(wanted) > _LEAVES_COMPARED_MAX:
        return 1.0
    found, leaves = _distance(given, wanted)
    return max(found / leaves, 1 / (1 + leaves))


def _distance(given: Any, wanted: Any) -> tuple[float, int]:
    """The sum over the values asked for, and their number."""
    if isinstance(wanted, dict) and wanted and isinstance(given, dict):
        pairs = [(given.get(name), value, name in given) for name, value in wanted.items()]
    elif isinstance(wanted, list) and wanted and isinstance(given, list):
        pairs = [(given[at] if at < len(given) else None, value, at < len(given)) for at, value in enumerate(wanted)]
    elif isinstance(wanted, dict | list) or isinstance(given, dict | list):
        leaves = count_leaves(wanted)
        return (0.0 if _is_empty_alike(given, wanted) else float(leaves)), leaves
    else:
        return (0.0 if same_scalar(given, wanted) else between_scalars(wanted, given)), 1
    total, leaves = 0.0, 0
    for other, value, is_there in pairs:
        part, count = _distance(other, value) if is_there else (float(count_leaves(value)), count_leaves(value))
        total, leaves = total + part, leaves + count
    return total, leaves


def _is_empty_alike(given: Any, wanted: Any) -> bool:
    return (isinstance(wanted, dict) and not wanted and isinstance(given, dict)) or (wanted == [] and given == [])


class _Difference(NamedTuple):
    """Where a value differs first from what was asked for, and what is there; ``shown`` is empty for nothing."""

    path: str
    shown: str


def shown_difference(given: Any, wanted: Any, *, exact: bool) -> str:
    """Where ``given`` differs first, in words."""
    found = _first_difference(given, wanted, "$", exact=exact)
    if found is None or found.path == "$":
        return shown_json(given)
    return cut(f"at {found.path}: {found.shown or 'nothing'}")


def _first_difference(given: Any, wanted: Any, path: str, *, exact: bool) -> _Difference | None:
    if isinstance(wanted, dict) and isinstance(given, dict):
        for name, value in wanted.items():
            place = path + step(name)
            if name not in given:
                return _Difference(place, "")
            found = _first_difference(given[name], value, place, exact=exact)
            if found is not None:
                return found
        more = next((name for name in given if name not in wanted), None) if exact else None
        return None if more is None else _Difference(path + step(more), shown_json(given[more]))
    if isinstance(wanted, list) and isinstance(given, list):
        for at, (value, other) in enumerate(zip(wanted, given, strict=False)):
            found = _first_difference(other, value, f"{path}[{at}]", exact=exact)
            if found is not None:
                return found
        return None if len(wanted) == len(given) else _Difference(path, f"{len(given)} elements")
    if not isinstance(wanted, dict | list) and same_scalar(given, wanted):
        return None
    return _Difference(path, shown_json(given))
