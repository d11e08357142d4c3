"""What a JSONPath is made of (RFC 9535): read by `json_path_syntax`, followed by `json_path_running`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """The member of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """The element in this place; a negative one counts from the end."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Elements from ``start`` to before ``stop``, as Python's, but for a ``step`` of 0, which selects nothing."""

    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """All members, or all elements."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The members or elements for which this is true."""

    test: "Test"


Selector = Name | Index | Slice | Wildcard | Filter


@dataclass(frozen=True, slots=True)
class Segment:
    """What is selected in a value; ``deep``: and in all that it holds, at any depth."""

    selectors: tuple[Selector, ...]
    deep: bool = False

    @property
    def singular(self) -> bool:
        """True when it selects one value at most."""
        return not self.deep and len(self.selectors) == 1 and isinstance(self.selectors[0], Name | Index)


Segments = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A path in a filter, from the whole document (``absolute``) or from the value that is looked at."""

    segments: Segments
    absolute: bool

    @property
    def singular(self) -> bool:
        """True when it selects one value at most."""
        return all(segment.singular for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as it is written in the path."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the functions of section 2.4. Of `match` and `search` the result is a truth, else a value."""

    name: str
    arguments: "tuple[Operand, ...]"


Operand = Path | Constant | Call


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values, each one at most, compared."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    test: "Test"


@dataclass(frozen=True, slots=True)
class All:
    """All are true."""

    tests: "tuple[Test, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    """One at least is true."""

    tests: "tuple[Test, ...]"


Test = Path | Call | Compare | Not | All | Any
"""A path is true when it selects something, a call of `match` or `search` when it finds something."""
