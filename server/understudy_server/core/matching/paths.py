"""Paths: how one is split into segments, and the patterns that are compared with it.

The rules are those of the FlowMock contract: case counts, the whole path counts, one slash at the end does not, and
`:name` stands for exactly one non-empty segment. A path is split before it is decoded, so ``%2F`` never makes a
segment, and each segment is decoded once. A pattern is decoded in the same way, so a literal segment that begins with
a colon is written ``%3A``.
"""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

LITERAL = 1
"""The rank of a literal segment; greater is more specific."""

PARAMETER = 0
"""The rank of a `:name` segment."""


def split(path: str) -> tuple[str, ...]:
    """Split a path that begins with a slash into its decoded segments; ``/`` has none.

    Bytes that are not UTF-8 become lone surrogates, so that they equal no text that a pattern can hold.
    """
    body = path[1:].removesuffix("/")
    if not body:
        # "/" has no segment; "//" has one, and it is empty.
        return () if len(path) < 2 else ("",)
    segments = body.split("/")
    if "%" in body:
        return tuple([_decode(segment) for segment in segments])
    return tuple(segments)


def _decode(segment: str) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path to compare with: one entry for each segment, ``None`` where any non-empty segment will do."""

    segments: tuple[str | None, ...]

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Read a pattern such as ``/api/users/:id``. A colon with nothing behind it is literal."""
        raw = text[1:].removesuffix("/")
        if not raw:
            return cls(split(text))
        return cls(tuple([None if _is_parameter(segment) else _decode(segment) for segment in raw.split("/")]))

    @property
    def literal(self) -> tuple[str, ...] | None:
        """The segments when all of them are literal, else ``None``."""
        found = tuple([segment for segment in self.segments if segment is not None])
        return found if len(found) == len(self.segments) else None

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


def _is_parameter(segment: str) -> bool:
    return len(segment) > 1 and segment.startswith(":")
