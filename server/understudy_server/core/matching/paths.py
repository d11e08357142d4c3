"""Paths: how one is split into segments, and the patterns that are compared with it.

The rules are those of the FlowMock contract: case counts, the whole path counts, one slash at the end does not, and
`:name` or `{name}` stands for exactly one non-empty segment. A path is split before it is decoded, so ``%2F`` never
makes a segment, and each segment is decoded once. A pattern is decoded in the same way, so a literal segment that looks
like a parameter is written with ``%3A`` or ``%7B``.

Assertive has rules of its own (`split_decoded`): a path is decoded before it is split, no slash at either end counts,
and a parameter stands for an empty segment, too.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

LITERAL = 1
"""The rank of a literal segment; greater is more specific."""

PARAMETER = 0
"""The rank of a segment that is a parameter."""


def split(path: str) -> tuple[str, ...]:
    """Split a path that begins with a slash into its decoded segments; ``/`` has none.

    Bytes that are not UTF-8 become lone surrogates, so that they equal no text that a pattern can hold.
    """
    segments = path[1:].split("/")
    if not segments[-1]:
        # "/" has no segment; "//" has one, and it is empty.
        segments.pop()
    if "%" in path:
        return tuple([_decode(segment) for segment in segments])
    return tuple(segments)


class _Blank(str):
    """An empty segment that a parameter stands for, too."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


_BLANK = _Blank()


def split_decoded(path: str) -> tuple[str, ...]:
    """Split a path, decoded already, as Assertive does. Between others a segment may be empty (`_Blank`)."""
    stripped = path.strip("/")
    if not stripped:
        return ()
    return tuple([segment or _BLANK for segment in stripped.split("/")])


def _decode(segment: str) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path to compare with: one entry for each segment, ``None`` where any non-empty segment will do.

    ``names`` are those of the parameters, in their order, decoded. ``literal`` are the segments when all of them are
    literal, else ``None``. ``spellings`` are the texts without percent-encoding that are split into them: at most two,
    and none with a segment that has to be encoded, such as ``a/b``. Both are worked out once, because a pattern
    outlives the many indexes that are built with it.
    """

    segments: tuple[str | None, ...]
    names: tuple[str, ...] = ()
    literal: tuple[str, ...] | None = field(init=False, repr=False, compare=False)
    spellings: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _places: tuple[tuple[str, int], ...] = field(init=False, repr=False, compare=False)
    """The names of the parameters, and which segments they are."""

    def __post_init__(self) -> None:
        places = [place for place, segment in enumerate(self.segments) if segment is None]
        object.__setattr__(self, "_places", tuple(zip(self.names, places, strict=False)))
        found = tuple([segment for segment in self.segments if segment is not None])
        literal = found if len(found) == len(self.segments) else None
        object.__setattr__(self, "literal", literal)
        object.__setattr__(self, "spellings", () if literal is None else _spellings(literal))

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Read a pattern such as ``/api/users/:id`` or ``/api/users/{id}``. Without a name a segment is literal."""
        raw = text[1:].removesuffix("/")
        if not raw:
            return cls(split(text))
        if ":" not in raw and "{" not in raw:
            return cls(split(text))
        names = [_parameter(segment) for segment in raw.split("/")]
        segments = [None if name else _decode(segment) for name, segment in zip(names, raw.split("/"), strict=True)]
        return cls(tuple(segments), tuple([_decode(name) for name in names if name]))

    @property
    def rank(self) -> tuple[int, ...]:
        """How specific it is, among patterns of equal length: the leftmost difference decides, literal the greater."""
        return tuple([PARAMETER if segment is None else LITERAL for segment in self.segments])

    @property
    def literals(self) -> int:
        """How many of its segments are literal and have something in them."""
        return sum([bool(segment) for segment in self.segments])

    def parameters(self, path: str) -> dict[str, str]:
        """The parameters of a path that is one of this pattern's, decoded, by name; of a name given twice the last one.

        Bytes that are not UTF-8 are lone surrogates in them.
        """
        return self.parameters_of(split(path)) if self.names else {}

    def parameters_of(self, segments: tuple[str, ...]) -> dict[str, str]:
        """As `parameters`, of a path that is split already."""
        return {name: segments[place] for name, place in self._places}

    def matches(self, segments: tuple[str, ...]) -> bool:
        """Tell whether a split path is one of this pattern's."""
        if len(segments) != len(self.segments):
            return False
        return all(
            bool(given) if wanted is None else given == wanted
            for wanted, given in zip(self.segments, segments, strict=True)
        )


def pattern_of(path: str) -> str:
    """Write the pattern of a path as sent that matches this path alone, in all its spellings."""
    # Only the first character makes a parameter of a segment, whichever the two are.
    return "/".join([f"%{ord(each[0]):X}{each[1:]}" if _parameter(each) else each for each in path.split("/")])


def _spellings(literal: tuple[str, ...]) -> tuple[str, ...]:
    plain = "/" + "/".join(literal)
    return tuple([text for text in (plain, plain + "/") if "%" not in text and split(text) == literal])


def _parameter(segment: str) -> str:
    """The name of the parameter that a segment of a pattern is, as written; empty when it is literal."""
    if segment[:1] == ":":
        return segment[1:]
    if segment[:1] == "{" and segment[-1] == "}":
        name = segment[1:-1]
        return "" if "{" in name or "}" in name else name
    return ""
