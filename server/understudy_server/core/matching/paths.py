"""Paths: how one is split into segments, and the patterns that are compared with it.

The rules are those of the FlowMock contract: case counts, the whole path counts, one slash at the end does not, and
`:name` stands for exactly one non-empty segment. A path is split before it is decoded, so ``%2F`` never makes a
segment, and each segment is decoded once. A pattern is decoded in the same way, so a literal segment that begins with
a colon is written ``%3A``.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

LITERAL = 1
"""The rank of a literal segment; greater is more specific."""

PARAMETER = 0
"""The rank of a `:name` segment."""


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


def _decode(segment: str) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path to compare with: one entry for each segment, ``None`` where any non-empty segment will do.

    ``literal`` are the segments when all of them are literal, else ``None``. ``spellings`` are the texts without
    percent-encoding that are split into them: at most two, and none with a segment that has to be encoded, such as
    ``a/b``. Both are worked out once, because a pattern outlives the many indexes that are built with it.
    """

    segments: tuple[str | None, ...]
    literal: tuple[str, ...] | None = field(init=False, repr=False, compare=False)
    spellings: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = tuple([segment for segment in self.segments if segment is not None])
        literal = found if len(found) == len(self.segments) else None
        object.__setattr__(self, "literal", literal)
        object.__setattr__(self, "spellings", () if literal is None else _spellings(literal))

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Read a pattern such as ``/api/users/:id``. A colon with nothing behind it is literal."""
        raw = text[1:].removesuffix("/")
        if not raw:
            return cls(split(text))
        return cls(tuple([None if _is_parameter(segment) else _decode(segment) for segment in raw.split("/")]))

    @property
    def rank(self) -> tuple[int, ...]:
        """How specific it is, among patterns of equal length: the leftmost difference decides, literal over `:name`."""
        return tuple([PARAMETER if segment is None else LITERAL for segment in self.segments])

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
    segments = [f"%3A{segment[1:]}" if _is_parameter(segment) else segment for segment in path.split("/")]
    return "/".join(segments)


def _spellings(literal: tuple[str, ...]) -> tuple[str, ...]:
    plain = "/" + "/".join(literal)
    return tuple([text for text in (plain, plain + "/") if "%" not in text and split(text) == literal])


def _is_parameter(segment: str) -> bool:
    return len(segment) > 1 and segment.startswith(":")
