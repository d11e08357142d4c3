# ruff: noqa: ARG001 - the signatures are those that templates see
"""What operators do. Each pays for what it makes before it makes it."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import (
    KEYS,
    NUMBER_BITS_MAX,
    NUMBERS,
    Lookup,
    Undefined,
    bounded,
    equal,
    items_of,
    kind_of,
    number,
    text_of,
    walk,
)

WIDTH_MAX: Final = 1000
"""The widest field that a text may be formatted into."""

_FORMAT = re.compile(r"%(?:\((\w+)\))?([-+ #0]{0,5})(\d{0,4})(?:\.(\d{0,3}))?([a-zA-Z%])")


def add(run: Run, left: Any, right: Any) -> Any:
    """The sum of numbers, one text behind another, or one list behind another."""
    if isinstance(left, str) and isinstance(right, str):
        run.take_for_text(len(left) + len(right))
        return left + right
    if isinstance(left, list | tuple | range) and isinstance(right, list | tuple | range):
        run.take(len(left) + len(right) + 1)
        return [*left, *right]
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return bounded(left + right)
    raise _misfit("+", left, right)


def concatenate(run: Run, left: Any, right: Any) -> str:
    """One value behind another, as text."""
    first, second = text_of(run, left), text_of(run, right)
    run.take_for_text(len(first) + len(second))
    return first + second


def multiply(run: Run, left: Any, right: Any) -> Any:
    """The product of numbers, or a text or list so many times."""
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return bounded(left * right)
    if isinstance(left, int):
        left, right = right, left
    if isinstance(right, int) and isinstance(left, str):
        run.take_for_text(len(left) * max(right, 0))
        return left * right
    if isinstance(right, int) and isinstance(left, list | tuple | range):
        run.take(len(left) * max(right, 0) + 1)
        return [*left] * right
    raise _misfit("*", left, right)


def power(run: Run, left: Any, right: Any) -> Any:
    """A number to the power of another."""
    base, exponent = number(left), number(right)
    run.take(4)
    if isinstance(base, int) and isinstance(exponent, int):
        if exponent > 0 and base.bit_length() * exponent > 2 * NUMBER_BITS_MAX and abs(base) > 1:
            raise Fault("a number grows too large")
        base = base if exponent >= 0 else float(base)
    result = base**exponent
    if isinstance(result, complex):
        raise Fault("a root of a negative number is no number")
    return bounded(result)


def remainder(run: Run, left: Any, right: Any) -> Any:
    """What is left of a division; of a text, the text with values in it."""
    if isinstance(left, str):
        return format_text(run, left, right if isinstance(right, tuple) else (right,))
    return number(left) % number(right)


def _calculated(function: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], Any]:
    def calculate(run: Run, left: Any, right: Any) -> Any:
        return bounded(function(number(left), number(right)))

    return calculate


BINARY: Final[Mapping[str, Callable[[Run, Any, Any], Any]]] = {
    "+": add,
    "-": _calculated(operator.sub),
    "~": concatenate,
    "*": multiply,
    "/": _calculated(operator.truediv),
    "//": _calculated(operator.floordiv),
    "%": remainder,
    "**": power,
}


def contains(run: Run, item: Any, container: Any) -> bool:
    """Whether a text is part of another, an item is in a list, or a key in a mapping."""
    if isinstance(item, Undefined):
        raise item.fault()
    if isinstance(container, str):
        if isinstance(item, NUMBERS) and not isinstance(item, bool):
            item = str(item)
        if not isinstance(item, str):
            return False
        run.take(1 + len(container) * (1 if len(item) < 2 else 4) // 256)
        return item in container
    if isinstance(container, dict):
        return isinstance(item, KEYS) and item in container
    if isinstance(container, range):
        return isinstance(item, NUMBERS) and item in container
    if isinstance(container, Lookup):
        return isinstance(item, str) and item in set(items_of(run, container))
    if isinstance(container, list | tuple) and isinstance(item, KEYS):
        # What holds other things is never equal to it, and so Python does not look into it.
        run.take(1 + len(container) // 3)
        return item in container
    return any(equal(run, item, other) for other in items_of(run, container))


def ordered(run: Run, left: Any, right: Any) -> int:
    """Less than 0 when ``left`` is before ``right``, 0 when they are equal. Raises Fault for what has no order."""
    if isinstance(left, str) and isinstance(right, str):
        run.take(1 + min(len(left), len(right)) // 1024)
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        left, right = list(walk(run, left)), list(walk(run, right))
    elif not (isinstance(left, NUMBERS) and isinstance(right, NUMBERS)):
        raise _misfit("<", left, right)
    try:
        return int(left > right) - int(left < right)
    except TypeError:
        raise _misfit("<", left, right) from None


COMPARISONS: Final[Mapping[str, Callable[[Run, Any, Any], bool]]] = {
    "==": equal,
    "!=": lambda run, left, right: not equal(run, left, right),
    "<": lambda run, left, right: _less(run, left, right, operator.lt),
    "<=": lambda run, left, right: _less(run, left, right, operator.le),
    ">": lambda run, left, right: _less(run, left, right, operator.gt),
    ">=": lambda run, left, right: _less(run, left, right, operator.ge),
    "in": contains,
    "not in": lambda run, left, right: not contains(run, left, right),
}


def _less(run: Run, left: Any, right: Any, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return compare(left, right)
    return compare(ordered(run, left, right), 0)


def format_text(run: Run, template: str, values: tuple[Any, ...], named: Mapping[str, Any] | None = None) -> str:
    """A text with values in it, as ``%`` does in C and Python: ``%s``, ``%d``, ``%.2f``, ``%05d`` and the like."""
    run.take_for_text(len(template))
    left = iter(values)

    def fill(found: re.Match[str]) -> str:
        name, flags, width, precision, kind = found.groups()
        if kind == "%":
            return "%"
        if kind not in "sdifeEgGxXoc" or int(width or 0) > WIDTH_MAX or int(precision or 0) > WIDTH_MAX // 10:
            raise Fault(f"{found.group()} is no format")
        value = (named or {}).get(name, Undefined(name)) if name else next(left, Undefined("a value for the format"))
        if isinstance(value, Undefined):
            raise value.fault()
        shown = text_of(run, value) if kind == "s" else number(value)
        dot = "" if precision is None else f".{precision}"
        written: str = f"%{flags}{width}{dot}{kind}" % (shown,)
        run.take_for_text(len(written))
        return written

    written = _FORMAT.sub(fill, template)
    run.take_for_text(len(written))
    return written


def sliced(run: Run, of: Any, start: Any, stop: Any, step: Any) -> Any:
    """A part of a text or list."""
    if isinstance(of, Undefined):
        raise of.fault()
    if not isinstance(of, str | list | tuple | range):
        raise Fault(f"{kind_of(of)} has no parts")
    for bound in (start, stop, step):
        if bound is not None and type(bound) is not int:
            raise bound.fault() if isinstance(bound, Undefined) else Fault("a slice needs whole numbers")
    if step == 0:
        raise Fault("a slice has no step 0")
    part = slice(start, stop, step)
    length = len(range(*part.indices(len(of))))
    if isinstance(of, str):
        # Backwards or by steps it goes one by one.
        run.take(1 + length // (64 if step in (None, 1) else 8))
        return of[part]
    run.take(1 + length // 8)
    return of[part]


def _misfit(sign: str, left: Any, right: Any) -> Fault:
    for value in (left, right):
        if isinstance(value, Undefined):
            return value.fault()
    return Fault(f"{kind_of(left)} and {kind_of(right)} do not go together with {sign}")
