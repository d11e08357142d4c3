"""What templates calculate with: plain data, what stands for data that is only made when asked for, and nothing at all.

Data is what JSON can say (and tuples, and ranges of numbers). Nothing of Python shows: a key is a key, whatever its
name. Whoever walks through a value pays for each part of it first, because a list may hold itself many times over.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from types import NoneType
from typing import Any, Final, TypeAlias

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run

NESTED_MAX: Final = 100
"""Lists in lists, at most, for whatever looks at all of a value."""

NUMBER_BITS_MAX: Final = 1024

ITEM_STEPS: Final = 5
"""What it takes to do something with an item, beside what is done."""

_CONTAINER_STEPS = 20
# It is most likely to be written.
_FRACTION_STEPS = 5
_SCALARS = frozenset({int, float, bool, type(None)})

# Asked of each value: with a union in their place that takes three times as long.
NUMBERS: Final = (int, float)
KEYS: Final = (str, int, float, NoneType)


class Undefined:
    """Stands for what is not there; ``described`` says what, for the message when it is used."""

    __slots__ = ("described",)

    def __init__(self, described: str) -> None:
        self.described = described

    def fault(self) -> Fault:
        return Fault(f"{self.described} is undefined")


class Missing:
    """Stands for a key that is not there."""

    __slots__ = ()


MISSING: Final = Missing()


class Lookup:
    """Stands for a mapping. What it holds is made when it is asked for."""

    __slots__ = ()

    def find(self, key: str) -> Any:
        """The value of a key, or ``MISSING``."""
        raise NotImplementedError

    def keys(self) -> Iterable[str]:
        """All keys, in order."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """All of it."""
        return {key: self.find(key) for key in self.keys()}


class Namespace(Lookup):
    """Values that loops and macros can set for those around them: ``namespace(count=0)``."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def find(self, key: str) -> Any:
        return self.values.get(key, MISSING)

    def keys(self) -> Iterable[str]:
        return self.values


class Group(tuple[Any, ...]):
    """What several items have in common, and the list of them: a pair that can be asked by name, too."""

    __slots__ = ()
    NAMES = ("grouper", "list")


Function: TypeAlias = Callable[..., Any]
"""What a template may call: with the run first, then what it is given. Raises Fault, TypeError for wrong arguments."""


class Callee:
    """A function as a value."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Function) -> None:
        self.name = name
        self.function = function


def kind_of(value: Any) -> str:
    """What a value is, in a word, for messages."""
    match value:
        case None:
            return "none"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple() | range():
            return "a list"
        case dict() | Lookup():
            return "a mapping"
        case Callee():
            return f"the function {value.name}"
        case _:
            return "nothing"


def missing_part(of: Any, key: Any, described: str) -> Undefined:
    """What a value does not hold under a key or an index."""
    return Undefined(described or f"{key!r} of {kind_of(of)}")


def attribute(
    of: Any, key: Any, described: str = "", missing: Callable[[Any, Any, str], Undefined] = missing_part
) -> Any:
    """What a value holds under a key or an index, or else what is ``missing``. Raises Fault when it can hold nothing.

    ``described``: how the template asked for it, if that is known.
    """
    found: Any = MISSING
    if isinstance(of, dict):
        found = of.get(key, MISSING) if isinstance(key, KEYS) else MISSING
    elif isinstance(of, Lookup):
        found = of.find(key) if isinstance(key, str) else MISSING
    elif isinstance(of, list | tuple | str | range):
        if type(key) is int and -len(of) <= key < len(of):
            found = of[key]
        elif isinstance(of, Group) and key in Group.NAMES:
            found = of[Group.NAMES.index(key)]
    elif isinstance(of, Undefined):
        # What is first missing is what is said to be: there may be a default for all of it.
        return of
    if found is MISSING:
        return missing(of, key, described)
    return found


def dig(run: Run, of: Any, path: Any) -> Any:
    """Follow names and indexes between dots, as filters with an ``attribute`` do."""
    for part in str(path).split("."):
        run.take(ITEM_STEPS)
        of = attribute(of, int(part) if part.isdecimal() and len(part) < 10 else part)
    return of


def truth(value: Any) -> bool:
    """Whether a value counts as true. Raises Fault for an Undefined."""
    if isinstance(value, Undefined):
        raise value.fault()
    if isinstance(value, Lookup):
        return next(iter(value.keys()), None) is not None
    return bool(value) if not isinstance(value, Callee) else True


def walk(run: Run, value: Any, depth: int = 0) -> Any:
    """Pay for all parts of a value. Returns it as plain data: the same, or a copy without Lookups and ranges.

    Raises Fault for what is no data, and for what is nested too deeply.
    """
    kind = type(value)
    if kind is str:
        run.take_for_text(len(value))
        return value
    if kind in _SCALARS:
        return value
    if depth > NESTED_MAX:
        raise Fault("a value is nested too deeply")
    if isinstance(value, Lookup):
        value = value.plain()
    if isinstance(value, dict):
        run.take_for_text(sum([len(key) for key in value if type(key) is str]))
        run.take(_CONTAINER_STEPS + 2 * len(value) + _FRACTION_STEPS * list(map(type, value.values())).count(float))
        return {key: item if type(item) in _SCALARS else walk(run, item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        run.take(_CONTAINER_STEPS + 2 * len(value) + _FRACTION_STEPS * list(map(type, value)).count(float))
        walked = [item if type(item) in _SCALARS else walk(run, item, depth + 1) for item in value]
        return tuple(walked) if isinstance(value, tuple) else walked
    if isinstance(value, Undefined):
        raise value.fault()
    raise Fault(f"{kind_of(value)} is no data")


def text_of(run: Run, value: Any) -> str:
    """A value as it is printed: a text as it is, and everything else as Jinja has it. Raises Fault for an Undefined."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, NUMBERS):
        return str(value)
    plain = walk(run, value)
    text = repr(plain)
    run.take_for_text(len(text))
    return text


def items_of(run: Run, value: Any) -> list[Any]:
    """What a loop goes through: the items of a list, the keys of a mapping, the characters of a text. Pays for each."""
    if isinstance(value, list | tuple | range | str | dict):
        run.take(len(value) + 1)
        return list(value)
    if isinstance(value, Lookup):
        keys = list(value.keys())
        run.take(len(keys) + 1)
        return keys
    if isinstance(value, Undefined):
        raise value.fault()
    raise Fault(f"{kind_of(value)} is not a list")


def pairs_of(run: Run, value: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a mapping. Pays for each. Raises Fault when it is none."""
    if isinstance(value, Lookup):
        value = value.plain()
    if not isinstance(value, dict):
        raise value.fault() if isinstance(value, Undefined) else Fault(f"{kind_of(value)} is not a mapping")
    run.take(2 * len(value) + 1)
    return iter(value.items())


def size_of(value: Any) -> int:
    """The length of a value. Raises Fault when it has none."""
    if isinstance(value, Lookup):
        return len(list(value.keys()))
    if isinstance(value, str | list | tuple | range | dict):
        return len(value)
    raise value.fault() if isinstance(value, Undefined) else Fault(f"{kind_of(value)} has no length")


def equal(run: Run, left: Any, right: Any) -> bool:
    """Whether two values are the same, as Python compares. Pays for both."""
    if isinstance(left, KEYS) and isinstance(right, KEYS):
        if isinstance(left, str) and isinstance(right, str):
            run.take(1 + min(len(left), len(right)) // 1024)
        return bool(left == right)
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        raise (left if isinstance(left, Undefined) else right).fault()
    if isinstance(left, Callee) or isinstance(right, Callee):
        return left is right
    return bool(walk(run, left) == walk(run, right))


def number(value: Any) -> int | float:
    """A value that is to be calculated with. Raises Fault."""
    if isinstance(value, NUMBERS):
        return value
    raise value.fault() if isinstance(value, Undefined) else Fault(f"{kind_of(value)} is not a number")


def text(value: Any) -> str:
    """A value that is to be a text. Raises Fault."""
    if isinstance(value, str):
        return value
    raise value.fault() if isinstance(value, Undefined) else Fault(f"{kind_of(value)} is not a text")


def whole(value: Any) -> int:
    """A value that is to be a whole number. Raises Fault."""
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        raise Fault("a whole number is wanted")
    return int(number(value))


def bounded(value: int | float) -> int | float:
    """A result of a calculation. Raises Fault for a number that is too large to go on with."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > NUMBER_BITS_MAX:
        raise Fault("a number grows too large")
    return value
