"""Payloads checked as the product's framework checks them: all that is wrong, in the order of the fields.

A check takes a value, where it stands, and the problems found so far. It returns the value as it is meant (`"201"` for
a whole number is 201), and adds a problem for what cannot be meant. What it returns then is not to be used.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Loc = tuple[str | int, ...]
"""Where a value stands: names of fields and places in lists, from ``body`` on."""

_INTEGER_TEXT: Final = re.compile(r"\s*([+-]?[0-9]+(?:_[0-9]+)*)(?:\.0+)?\s*", re.ASCII)
_INTEGER_TEXT_MAX_CHARACTERS: Final = 4300


class Invalid(Exception):
    """A payload cannot be used. ``detail`` is the list that the answer 422 carries."""

    def __init__(self, detail: Sequence[dict[str, Any]]) -> None:
        super().__init__("; ".join([f"{_dotted(each['loc'])}: {each['msg']}" for each in detail]))
        self.detail = list(detail)


@dataclass(slots=True)
class Problems:
    """What was found to be wrong, in order."""

    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, loc: Loc, message: str, given: Any, **ctx: Any) -> Any:
        """Add one, and return None in place of a value. ``ctx`` is left out when there is nothing in it."""
        problem = {"type": kind, "loc": list(loc), "msg": message, "input": given}
        if ctx:
            problem["ctx"] = ctx
        self.found.append(problem)
        return None

    def add_value_error(self, loc: Loc, message: str, given: Any) -> Any:
        """Add one that a rule of the product, and not of its types, finds."""
        return self.add("value_error", loc, f"Value error, {message}", given, error={})


Check = Callable[[Any, Loc, Problems], Any]


@dataclass(frozen=True, slots=True)
class _Required:
    pass


REQUIRED: Final = _Required()
"""In place of a default."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a payload. Its default is never changed."""

    name: str
    check: Check
    default: Any = REQUIRED


def check(payload: Any, by: Check) -> Any:
    """Check a whole body. Raises Invalid."""
    problems = Problems()
    value = by(payload, ("body",), problems)
    if problems.found:
        raise Invalid(problems.found)
    return value


def refused(message: str, given: Any = None, loc: Sequence[str | int] = ("body",)) -> Invalid:
    """Make the answer of a payload that the server behind the dialect refuses, with its own words."""
    problems = Problems()
    problems.add_value_error(tuple(loc), message, given)
    return Invalid(problems.found)


def model(
    *members: Member,
    before: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    after: Callable[[dict[str, Any]], None] | None = None,
) -> Check:
    """Check an object with these members; others are ignored.

    ``before`` may put another object in place of it; ``after`` is asked when nothing else is wrong. Either raises
    ValueError with what is.
    """

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(given, dict):
            message = "Input should be a valid dictionary or object to extract fields from"
            return problems.add("model_attributes_type", loc, message, given)
        known = len(problems.found)
        try:
            meant = before(given) if before is not None else given
            values = {member.name: _member(member, meant, loc, problems) for member in members}
            if after is not None and len(problems.found) == known:
                after(values)
        except ValueError as error:
            return problems.add_value_error(loc, str(error), given)
        return values

    return read


def _member(member: Member, given: dict[str, Any], loc: Loc, problems: Problems) -> Any:
    if member.name in given:
        return member.check(given[member.name], (*loc, member.name), problems)
    if member.default is REQUIRED:
        problems.add("missing", (*loc, member.name), "Field required", given)
    return member.default


def optional(inner: Check) -> Check:
    """Let null pass, which is the same as absent."""
    return lambda given, loc, problems: None if given is None else inner(given, loc, problems)


def sequence(inner: Check, *, at_least: int = 0) -> Check:
    """Check a list and what is in it."""

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(given, list):
            return problems.add("list_type", loc, "Input should be a valid list", given)
        found = [inner(each, (*loc, at), problems) for at, each in enumerate(given)]
        if len(given) < at_least:
            message = f"List should have at least {at_least} item after validation, not {len(given)}"
            problems.add(
                "too_short", loc, message, given, field_type="List", min_length=at_least, actual_length=len(given)
            )
        return found

    return read


def anything(given: Any, _loc: Loc, _problems: Problems) -> Any:
    """Let every value pass."""
    return given


def text(given: Any, loc: Loc, problems: Problems) -> Any:
    """Check a text."""
    if isinstance(given, str):
        return given
    return problems.add("string_type", loc, "Input should be a valid string", given)


def text_of(pattern: str) -> Check:
    """Check a text that is a match of a pattern."""
    compiled = re.compile(pattern, re.ASCII)

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        # A line feed at the end is none of the text's, to Python's own "$".
        if isinstance(given, str) and (compiled.search(given) is None or given.endswith("\n")):
            message = f"String should match pattern '{pattern}'"
            return problems.add("string_pattern_mismatch", loc, message, given, pattern=pattern)
        return text(given, loc, problems)

    return read


def mapping(given: Any, loc: Loc, problems: Problems) -> Any:
    """Check an object of any members."""
    if isinstance(given, dict):
        return given
    return problems.add("dict_type", loc, "Input should be a valid dictionary", given)


def text_or_mapping(given: Any, loc: Loc, problems: Problems) -> Any:
    """Check what may be a text or a criterion."""
    if isinstance(given, str | dict):
        return given
    text(given, (*loc, "str"), problems)
    return mapping(given, (*loc, "dict[any,any]"), problems)


def integer(*, ge: int | None = None, le: int | None = None) -> Check:
    """Check a whole number, which a text may spell."""

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        number = _integer(given, loc, problems)
        return None if number is None else _bounded(number, ge, le, given, loc, problems)

    return read


def _integer(given: Any, loc: Loc, problems: Problems) -> Any:
    if isinstance(given, int):
        return int(given)
    wanted = "Input should be a valid integer"
    if isinstance(given, float):
        if given.is_integer():
            return int(given)
        return problems.add("int_from_float", loc, f"{wanted}, got a number with a fractional part", given)
    if isinstance(given, str):
        found = _INTEGER_TEXT.fullmatch(given)
        if found is not None and len(given) <= _INTEGER_TEXT_MAX_CHARACTERS:
            return int(found[1])
        return problems.add("int_parsing", loc, f"{wanted}, unable to parse string as an integer", given)
    return problems.add("int_type", loc, wanted, given)


def number(*, ge: float | None = None, le: float | None = None) -> Check:
    """Check a number, which a text may spell. One that is none (NaN) is out of every range."""

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        found = _number(given, loc, problems)
        return None if found is None else _bounded(found, ge, le, given, loc, problems)

    return read


def _number(given: Any, loc: Loc, problems: Problems) -> Any:
    wanted = "Input should be a valid number"
    try:
        if isinstance(given, int | float):
            return float(given)
        if isinstance(given, str):
            return float(given)
    except OverflowError:
        return math.inf
    except ValueError:
        return problems.add("float_parsing", loc, f"{wanted}, unable to parse string as a number", given)
    return problems.add("float_type", loc, wanted, given)


def _bounded(value: float, ge: float | None, le: float | None, given: Any, loc: Loc, problems: Problems) -> Any:
    if le is not None and not value <= le:
        return problems.add("less_than_equal", loc, f"Input should be less than or equal to {_shown(le)}", given, le=le)
    if ge is not None and not value >= ge:
        return problems.add(
            "greater_than_equal", loc, f"Input should be greater than or equal to {_shown(ge)}", given, ge=ge
        )
    return value


def _shown(bound: float) -> float:
    return int(bound) if float(bound).is_integer() else bound


def _dotted(loc: Sequence[str | int]) -> str:
    return ".".join([str(each) for each in loc])
