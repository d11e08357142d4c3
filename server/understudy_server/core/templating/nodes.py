"""The parts of a template, as they were read. Lines count from 1."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, true, false or none."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """What a name stands for."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """``of.name``"""

    of: "Expression"
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """``of[index]``"""

    of: "Expression"
    index: "Expression"
    line: int


@dataclass(frozen=True, slots=True)
class Slice:
    """``of[start:stop:step]``"""

    of: "Expression"
    start: "Expression | None"
    stop: "Expression | None"
    step: "Expression | None"
    line: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What is given to a call, a filter or a test."""

    positional: "tuple[Expression, ...]" = ()
    named: "tuple[tuple[str, Expression], ...]" = ()


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``"""

    function: "Expression"
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Filter:
    """``of | name(arguments)``; without ``of`` it is for what a block makes."""

    of: "Expression | None"
    name: str
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Test:
    """``of is name(arguments)``"""

    of: "Expression"
    name: str
    arguments: Arguments
    line: int


@dataclass(frozen=True, slots=True)
class Not:
    """``not of``"""

    of: "Expression"
    line: int


@dataclass(frozen=True, slots=True)
class Sign:
    """``-of`` or ``+of``"""

    sign: str
    of: "Expression"
    line: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and an arithmetic sign, or ``~``."""

    sign: str
    left: "Expression"
    right: "Expression"
    line: int


@dataclass(frozen=True, slots=True)
class Compare:
    """``first < second == third``: all must hold."""

    first: "Expression"
    others: "tuple[tuple[str, Expression], ...]"
    line: int


@dataclass(frozen=True, slots=True)
class Either:
    """``left and right`` or ``left or right``"""

    is_and: bool
    left: "Expression"
    right: "Expression"
    line: int


@dataclass(frozen=True, slots=True)
class Choice:
    """``yes if test else no``; without ``no``, nothing is there when the test fails."""

    test: "Expression"
    yes: "Expression"
    no: "Expression | None"
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """``[a, b]`` or ``(a, b)``"""

    items: "tuple[Expression, ...]"
    is_tuple: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    """``{a: b}``"""

    items: "tuple[tuple[Expression, Expression], ...]"
    line: int


Expression: TypeAlias = (
    Constant
    | Name
    | Attribute
    | Item
    | Slice
    | Call
    | Filter
    | Test
    | Not
    | Sign
    | Binary
    | Compare
    | Either
    | Choice
    | Sequence
    | Mapping
)


@dataclass(frozen=True, slots=True)
class Text:
    """Text between tags."""

    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """``{{ of }}``"""

    of: Expression
    line: int


@dataclass(frozen=True, slots=True)
class If:
    """The body of the first test that passes, else ``otherwise``."""

    cases: "tuple[tuple[Expression, Body], ...]"
    otherwise: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class For:
    """``otherwise`` is for when there was nothing. ``only`` is the test behind ``if``."""

    targets: tuple[str, ...]
    over: Expression
    only: Expression | None
    body: "Body"
    otherwise: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class Set:
    """``set targets = value``; a target with a dot sets a value of a namespace."""

    targets: tuple[str, ...]
    value: Expression
    line: int


@dataclass(frozen=True, slots=True)
class SetBlock:
    """``set target | filters`` and a body that makes the text."""

    target: str
    filters: tuple[Filter, ...]
    body: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class With:
    """Names for a body alone, each made without those before it."""

    values: tuple[tuple[str, Expression], ...]
    body: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of a macro's; without a default it must be given."""

    name: str
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Macro:
    """``macro name(parameters)``"""

    name: str
    parameters: tuple[Parameter, ...]
    body: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class CallBlock:
    """A call of a macro that may ask for the body, by ``caller()``."""

    call: Call
    parameters: tuple[Parameter, ...]
    body: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class FilterBlock:
    """What a body prints, put through filters."""

    filters: tuple[Filter, ...]
    body: "Body"
    line: int


@dataclass(frozen=True, slots=True)
class Do:
    """``do of``: for what it does, not for what it is."""

    of: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Leave:
    """``break`` or ``continue``"""

    is_break: bool


Statement: TypeAlias = Text | Print | If | For | Set | SetBlock | With | Macro | CallBlock | FilterBlock | Do | Leave
Body: TypeAlias = tuple[Statement, ...]
