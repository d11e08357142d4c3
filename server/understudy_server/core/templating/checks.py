# ruff: noqa: ARG001 - the signatures are those that templates see
"""Tests, as they stand behind ``is``. Each is given the run, the value, and what is in its brackets."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.list_filters import compare
from understudy_server.core.templating.operations import contains
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import Callee, Lookup, Undefined, equal, kind_of, text, whole


def is_defined(run: Run, value: Any) -> bool:
    """It is there."""
    return not isinstance(value, Undefined)


def is_undefined(run: Run, value: Any) -> bool:
    """It is not there."""
    return isinstance(value, Undefined)


def is_none(run: Run, value: Any) -> bool:
    """It is none (null in JSON)."""
    return value is None


def is_boolean(run: Run, value: Any) -> bool:
    """It is true or false."""
    return isinstance(value, bool)


def is_true(run: Run, value: Any) -> bool:
    """It is true itself."""
    return value is True


def is_false(run: Run, value: Any) -> bool:
    """It is false itself."""
    return value is False


def is_number(run: Run, value: Any) -> bool:
    """It is a number."""
    return isinstance(value, int | float)


def is_integer(run: Run, value: Any) -> bool:
    """It is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_float(run: Run, value: Any) -> bool:
    """It is a number with a fraction."""
    return isinstance(value, float)


def is_string(run: Run, value: Any) -> bool:
    """It is a text."""
    return isinstance(value, str)


def is_mapping(run: Run, value: Any) -> bool:
    """It has keys and values."""
    return isinstance(value, dict | Lookup)


def is_sequence(run: Run, value: Any) -> bool:
    """It has items and a length."""
    return isinstance(value, list | tuple | range | str | dict | Lookup)


def is_callable(run: Run, value: Any) -> bool:
    """It is a function."""
    return isinstance(value, Callee)


def is_even(run: Run, value: Any) -> bool:
    """It is a whole number that 2 divides."""
    return whole(value) % 2 == 0


def is_odd(run: Run, value: Any) -> bool:
    """It is a whole number that 2 does not divide."""
    return whole(value) % 2 == 1


def is_divisibleby(run: Run, value: Any, divisor: Any) -> bool:
    """It is a whole number that another divides."""
    return whole(value) % whole(divisor) == 0


def is_sameas(run: Run, value: Any, other: Any) -> bool:
    """It is the same, in kind, too."""
    return type(value) is type(other) and equal(run, value, other)


def is_in(run: Run, value: Any, container: Any) -> bool:
    """It is in a list, a text or a mapping."""
    return contains(run, value, container)


def is_lower(run: Run, value: Any) -> bool:
    """It is a text without capital letters."""
    given = text(value)
    run.take_for_text(len(given))
    return given.islower()


def is_upper(run: Run, value: Any) -> bool:
    """It is a text without small letters."""
    given = text(value)
    run.take_for_text(len(given))
    return given.isupper()


def is_startingwith(run: Run, value: Any, start: Any) -> bool:
    """It is a text that begins with another."""
    given, wanted = text(value), text(start)
    run.take_for_text(min(len(given), len(wanted)))
    return given.startswith(wanted)


def is_endingwith(run: Run, value: Any, end: Any) -> bool:
    """It is a text that ends with another."""
    given, wanted = text(value), text(end)
    run.take_for_text(min(len(given), len(wanted)))
    return given.endswith(wanted)


TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    "boolean": is_boolean,
    "callable": is_callable,
    "defined": is_defined,
    "divisibleby": is_divisibleby,
    "endingwith": is_endingwith,
    "eq": compare("=="),
    "equalto": compare("=="),
    "even": is_even,
    "false": is_false,
    "float": is_float,
    "ge": compare(">="),
    "greaterthan": compare(">"),
    "gt": compare(">"),
    "in": is_in,
    "integer": is_integer,
    "iterable": is_sequence,
    "le": compare("<="),
    "lessthan": compare("<"),
    "lower": is_lower,
    "lt": compare("<"),
    "mapping": is_mapping,
    "ne": compare("!="),
    "none": is_none,
    "number": is_number,
    "odd": is_odd,
    "sameas": is_sameas,
    "sequence": is_sequence,
    "startingwith": is_startingwith,
    "string": is_string,
    "true": is_true,
    "undefined": is_undefined,
    "upper": is_upper,
}
"""By the name behind ``is``."""


def check(run: Run, name: str, value: Any, arguments: tuple[Any, ...]) -> bool:
    """Run a test that is named by a value. Raises Fault when there is none, or it takes other arguments."""
    test = TESTS.get(name)
    if test is None:
        raise Fault(f"there is no test {name}")
    if isinstance(value, Undefined) and test not in (is_defined, is_undefined):
        raise value.fault()
    try:
        return test(run, value, *arguments)
    except TypeError:
        raise Fault(f"{kind_of(value)} cannot be put to the test {name} so") from None
