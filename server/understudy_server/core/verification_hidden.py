"""Criteria put to what is on record only in part: masked values, and bodies that were not kept whole.

Of such a value a criterion may hold, or not, or it cannot be told (`None`): it is told only where the answer would be
the same whatever was there before it was masked. A mask stands for a whole value within JSON, for the whole value of a
query parameter, and for a header's value or a part of it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from understudy_server.core import json_path_syntax
from understudy_server.core.json_path_tree import Index, Name, Segments
from understudy_server.core.matching import json_comparing
from understudy_server.core.matching.criteria import Criterion, JsonSubset
from understudy_server.core.matching.criteria_combined import AllOf, AnyOf, ExactlyOne, Not
from understudy_server.core.matching.criteria_json import JsonEquals
from understudy_server.core.matching.criteria_members import Each, Elements, Fields, Some
from understudy_server.core.matching.criteria_presence import Empty, Present
from understudy_server.core.matching.criteria_selecting import AtJsonPath, Selection
from understudy_server.core.matching.mismatch import Code
from understudy_server.core.matching.values import MISSING, Json, Value
from understudy_server.core.redaction import MARKER
from understudy_server.core.steps import Steps

Told = bool | None
"""Whether something holds; ``None``: it cannot be told."""

_MARK: Final = MARKER.decode()
_STEPS_FOR_EACH: Final = 3


def told_of_unseen(criterion: Criterion, *, is_empty: Told = None) -> Told:
    """Put a criterion to a value of which nothing is known but that it is there, and perhaps whether it is empty."""
    if isinstance(criterion, Present):
        return criterion.wanted
    if isinstance(criterion, Empty):
        return None if is_empty is None else criterion.wanted is is_empty
    return _told_of_combined(criterion, lambda each: told_of_unseen(each, is_empty=is_empty))


def told_of_json(criterion: Criterion, value: Value, steps: Steps) -> Told:
    """Put a criterion to JSON in which values may be masked. Raises TooManySteps."""
    document = value.json(steps)
    if isinstance(document, Code):
        return None
    return _told(criterion, document, value, steps)


def _told(criterion: Criterion, document: Any, value: Value, steps: Steps) -> Told:
    """``document`` is what the value is as JSON."""
    steps.take(_STEPS_FOR_EACH)
    if document == _MARK:
        return told_of_unseen(criterion)
    if not _holds_a_mark(document, steps):
        return criterion.holds(value, steps)
    match criterion:
        case Present() | Empty():
            # What holds a mark is no mark itself: it is there, and something is in it.
            return criterion.holds(value, steps)
        case JsonSubset(wanted=wanted):
            return _compared(document, wanted, steps, exact=False)
        case JsonEquals(wanted=wanted):
            return _compared(document, wanted, steps, exact=True)
        case AtJsonPath():
            return _told_at_path(criterion, document, steps)
        case Fields():
            return _told_of_fields(criterion, document, steps)
        case Each(criterion=each):
            return all_told([_within(each, one, steps) for one in document]) if _is_list(document) else False
        case Some(criterion=each):
            return any_told([_within(each, one, steps) for one in document]) if _is_list(document) else False
        case Elements(criteria=criteria):
            if not _is_list(document) or len(document) != len(criteria):
                return False
            return all_told([_within(each, one, steps) for each, one in zip(criteria, document, strict=True)])
    return _told_of_combined(criterion, lambda each: _told(each, document, value, steps))


def _within(criterion: Criterion, document: Any, steps: Steps) -> Told:
    return _told(criterion, document, Json(document), steps)


def _told_of_fields(criterion: Fields, document: Any, steps: Steps) -> Told:
    if not isinstance(document, dict):
        return False
    names = {name for name, _ in criterion.criteria}
    found: list[Told] = [
        _within(each, document[name], steps) if name in document else each.holds(MISSING, steps)
        for name, each in criterion.criteria
    ]
    return all_told([*found, not criterion.only or names.issuperset(document)])


def _told_at_path(criterion: AtJsonPath, document: Any, steps: Steps) -> Told:
    """A path to one place is followed up to the first mask; what others select may depend on what is masked."""
    if not criterion.query.singular:
        return None
    found = document
    for segment in _segments(criterion.query.text):
        steps.take(_STEPS_FOR_EACH)
        if found == _MARK:
            return None
        selector = segment.selectors[0]
        if isinstance(selector, Name) and isinstance(found, dict) and selector.name in found:
            found = found[selector.name]
        elif isinstance(selector, Index) and _is_list(found) and -len(found) <= selector.index < len(found):
            found = found[selector.index]
        else:
            # Nothing is selected, and no mask stands in the way.
            return _told_of_nothing(criterion, steps)
    if criterion.criterion is None:
        return True
    if criterion.selection is Selection.LIST:
        return _within(criterion.criterion, [found], steps)
    return _within(criterion.criterion, found, steps)


def _told_of_nothing(criterion: AtJsonPath, steps: Steps) -> Told:
    if criterion.criterion is None or criterion.selection is Selection.EACH:
        return False
    nothing = Json([]) if criterion.selection is Selection.LIST else MISSING
    return criterion.criterion.holds(nothing, steps)


@lru_cache(maxsize=256)
def _segments(path: str) -> Segments:
    return json_path_syntax.read(path, dashes=False)


def _compared(given: Any, wanted: Any, steps: Steps, *, exact: bool) -> Told:
    """As `json_comparing` compares, with marks for values that are not known."""
    steps.take(_STEPS_FOR_EACH)
    if given == _MARK:
        return None
    if isinstance(wanted, dict):
        if not isinstance(given, dict) or (exact and len(given) != len(wanted)):
            return False
        return all_told(
            [name in given and _compared(given[name], each, steps, exact=exact) for name, each in wanted.items()]
        )
    if isinstance(wanted, list):
        if not _is_list(given) or len(wanted) != len(given):
            return False
        return all_told([_compared(one, each, steps, exact=exact) for each, one in zip(wanted, given, strict=True)])
    return json_comparing.same_scalar(given, wanted)


def _told_of_combined(criterion: Criterion, tell: Callable[[Criterion], Told]) -> Told:
    """What is told of a criterion that is made of others on the same value; of any other it cannot be told."""
    match criterion:
        case AllOf(criteria=criteria):
            return all_told([tell(each) for each in criteria])
        case AnyOf(criteria=criteria):
            return any_told([tell(each) for each in criteria])
        case ExactlyOne(criteria=criteria):
            found = [tell(each) for each in criteria]
            if found.count(True) > 1:
                return False
            return None if None in found else found.count(True) == 1
        case Not(criterion=inner):
            told = tell(inner)
            return None if told is None else not told
    return None


def all_told(found: Iterable[Told]) -> Told:
    """Whether all hold: one that does not is enough, whatever of the others cannot be told."""
    found = list(found)
    if False in found:
        return False
    return None if None in found else True


def any_told(found: Iterable[Told]) -> Told:
    """Whether one holds."""
    found = list(found)
    if True in found:
        return True
    return None if None in found else False


def _holds_a_mark(document: Any, steps: Steps) -> bool:
    pending: list[Sequence[Any]] = [[document]]
    while pending:
        for each in pending.pop():
            steps.take(1)
            if isinstance(each, str):
                if each == _MARK:
                    return True
            elif isinstance(each, dict):
                pending.append(list(each.values()))
            elif isinstance(each, list):
                pending.append(each)
    return False


def _is_list(document: Any) -> bool:
    return isinstance(document, list)
