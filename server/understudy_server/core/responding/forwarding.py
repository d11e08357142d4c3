"""Passing a request on to another target: where to, and with which headers."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from urllib.parse import quote

from understudy_server.core.patterns import Pattern
from understudy_server.core.responding.making import CannotAnswer
from understudy_server.core.responding.plan import Forward, Scene
from understudy_server.core.steps import TooManySteps
from understudy_server.core.templating.running import Run

TARGET_MAX: Final = 16 * 1024
"""The path that a request is passed on with has at most so many characters."""

REWRITE_FAILED: Final = "rewrite_failed"

# What may stand in a path as it is (RFC 3986, section 3.3), and in one of its segments.
_IN_SEGMENT = "!$&'()*+,;=:@-._~"
_IN_PATH = _IN_SEGMENT + "/"
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_PARAMETER = re.compile(r"\{([^{}/]+)\}")


class Rewrite(Protocol):
    """Makes the path of what is passed on, percent-encoded, from that of the request."""

    def __call__(self, scene: Scene) -> str:
        """Raises CannotAnswer."""


def kept(scene: Scene) -> str:
    """The path as it was sent."""
    return scene.request.path


@dataclass(frozen=True, slots=True)
class Replaced:
    """A path of its own: ``parts`` are text, percent-encoded, and names of parameters, by turns."""

    parts: tuple[str, ...]

    def __call__(self, scene: Scene) -> str:
        given = scene.path_parameters
        return "".join([_segment(given.get(part, "")) if place % 2 else part for place, part in enumerate(self.parts)])


@dataclass(frozen=True, slots=True)
class Stripped:
    """Without what it begins with, if it does."""

    prefix: str

    def __call__(self, scene: Scene) -> str:
        return _rooted(scene.request.path.removeprefix(self.prefix))


@dataclass(frozen=True, slots=True)
class Substituted:
    """With something in place of the first match of a pattern."""

    pattern: Pattern
    replacement: str

    def __call__(self, scene: Scene) -> str:
        path = scene.request.path
        try:
            return _rooted(encoded_path(self.pattern.replace_first(path, self.replacement)))
        except TooManySteps:
            raise CannotAnswer(REWRITE_FAILED, "the pattern takes more steps on this path than it may") from None


def replaced(path: str, parameters: Collection[str]) -> Replaced:
    """A path with ``{name}`` in it. Raises KeyError for a name that is none of the parameters."""
    pieces = _PARAMETER.split(path)
    for name in pieces[1::2]:
        if name not in parameters:
            raise KeyError(name)
    return Replaced(tuple([piece if place % 2 else encoded_path(piece) for place, piece in enumerate(pieces)]))


def encoded_path(path: str) -> str:
    """A path in which whatever may not stand there as it is is percent-encoded; what is already stays."""
    return quote(_LONE_PERCENT.sub("%25", path), safe=_IN_PATH + "%", errors="surrogateescape")


def _segment(value: str) -> str:
    return quote(value, safe=_IN_SEGMENT, errors="surrogateescape")


def _rooted(path: str) -> str:
    return path if path.startswith("/") else "/" + path


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Passes requests on.

    ``base`` is a URL without a slash at its end; ``removed`` are names in lower case; ``query`` is that of a request
    that has none.
    """

    base: str
    rewrite: Rewrite = kept
    set_headers: tuple[tuple[bytes, bytes], ...] = ()
    removed: frozenset[bytes] = frozenset()
    keep_host: bool = False
    first_byte_ms: int = 0
    query: str = ""
    counts: ClassVar[bool] = False
    wants_body: ClassVar[bool] = False
    repeats: ClassVar[bool] = False

    def make(self, run: Run) -> Forward:
        scene: Scene = run.scene
        path, query = self.rewrite(scene), scene.request.query or self.query
        if len(path) > TARGET_MAX:
            raise CannotAnswer(REWRITE_FAILED, f"the path grows beyond {TARGET_MAX} characters")
        return Forward(
            base=self.base,
            target=f"{path}?{query}" if query else path,
            set_headers=self.set_headers,
            removed=self.removed,
            keep_host=self.keep_host,
            first_byte_ms=self.first_byte_ms,
        )
