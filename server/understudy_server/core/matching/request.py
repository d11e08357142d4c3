"""A request as matchers see it. What few matchers ask for is read when first asked for, and once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import text_of
from understudy_server.core.matching import json_values, paths
from understudy_server.core.matching.work import TurnOver, Work
from understudy_server.core.state import Scope

StateValue = Callable[[Scope, str, str], Any]
"""Looks a value up by scope, key, and the chain of whoever asks (empty without one); ``state.ABSENT`` for none."""


@dataclass(frozen=True, slots=True)
class Overlong:
    """Stands for a body that is too long to be matched; equal to no bytes."""


OVERLONG: Final = Overlong()
"""The body of a request that has more of it than the server matches: no criterion on a body holds, not even a "not"."""

Body = bytes | Overlong | None
"""``None``: not here yet."""


class BodyWanted(Exception):
    """Whether a mock answers depends on the body, which is not here yet. Set it (``Request.body``), and ask again."""


class Request:
    """The parts of a request that can be matched.

    ``path`` begins with a slash and is without the proxy's prefix and the query; ``query`` is the raw text behind the
    question mark. Both are as sent, percent-encoded. ``host`` is the name that the request is for, in lower case and
    without port, empty without one. A request can be judged while its ``body`` is still ``None``; it is set once, when
    it is here or known to be ``OVERLONG``.

    What only few criteria ask for costs a request nothing until then: it stands in the class. ``headers``, ``host`` and
    ``state_value`` may be overridden by whoever has them at hand in another form.
    """

    __slots__ = ("__dict__", "_json", "_parameters", "_segments", "body", "method", "path", "query")

    _headers: RawHeaders = ()
    _host: str = ""
    _state_value: StateValue | None = None
    _by_header: dict[bytes, list[str]] | None = None
    _cookies: dict[str, list[str]] | None = None
    _asked: set[bytes] | None = None
    asks_all_headers: bool = False
    """Whether anybody has asked for all headers, so that any of them may have made a difference."""

    scope: str = ""
    """The name of the session that was found by a header of that name; empty without one."""

    asks_body: bool = False
    """Whether anybody has asked for the body."""

    _decoded_path: str | None = None
    _work: Work | None = None
    body_value: Any = None
    """The body as criteria test it, left here by the first of them for the others."""

    def __init__(
        self, method: str, path: str, query: str = "", body: Body = b"", *, headers: RawHeaders = (), host: str = ""
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self._segments: tuple[str, ...] | None = None
        self._parameters: dict[str, list[str]] | None = None
        self._json: tuple[Any] | None = None
        if headers:
            self._headers = headers
        if host:
            self._host = host

    @property
    def headers(self) -> RawHeaders:
        """The headers as sent, in order."""
        return self._headers

    @property
    def host(self) -> str:
        """The name of the host that the request is for, in lower case and without port; empty without one."""
        return self._host

    @property
    def state_value(self) -> StateValue | None:
        """Finds what is kept between requests; ``None`` where nothing is."""
        return self._state_value

    @state_value.setter
    def state_value(self, found_by: StateValue | None) -> None:
        self._state_value = found_by

    @property
    def work(self) -> Work:
        """What criteria do for this request, and may do: all mocks that it meets share that."""
        if self._work is None:
            self._work = Work()
        return self._work

    @property
    def in_turns(self) -> bool:
        """Others wait meanwhile, so that what takes long raises `TurnOver`, and is gone on with later (`go_on`)."""
        return self._work is not None and self._work.in_turns

    @in_turns.setter
    def in_turns(self, others_wait: bool) -> None:
        self.work.in_turns = others_wait

    def segments(self) -> tuple[str, ...]:
        """The path's segments, decoded."""
        if self._segments is None:
            self._segments = paths.split(self.path)
        return self._segments

    def decoded_path(self) -> str:
        """The whole path, decoded. Bytes that are not UTF-8 are lone surrogates in it, as in a query."""
        if self._decoded_path is None:
            path = self.path
            self._decoded_path = unquote(path, errors="surrogateescape") if "%" in path else path
        return self._decoded_path

    def parameters(self) -> dict[str, list[str]]:
        """The query's values by name, in order, decoded. A name without a value has the empty text."""
        if self._parameters is None:
            self._parameters = read_form(self.query)
        return self._parameters

    def header(self, name: bytes) -> Sequence[str]:
        """The values of a header by its name in lower case, in order: as UTF-8 when they are, else as Latin-1."""
        if self._asked is None:
            self._asked = {name}
        else:
            self._asked.add(name)
        return self._read_headers().get(name, ())

    def values_by_header(self) -> dict[bytes, list[str]]:
        """The values of all headers, by name in lower case, as of `header`."""
        self.asks_all_headers = True
        return self._read_headers()

    def looked_at(self, names: Iterable[bytes]) -> bool:
        """Whether anybody has asked for one of these headers until now. Names are in lower case."""
        return self.asks_all_headers or (self._asked is not None and not self._asked.isdisjoint(names))

    def _read_headers(self) -> dict[bytes, list[str]]:
        if self._by_header is None:
            found: dict[bytes, list[str]] = {}
            for name, value in self.headers:
                # Mostly ASCII, and each name once. It is done for each request that a criterion on a header meets.
                text = value.decode() if value.isascii() else text_of(value)
                lower = name.lower()
                if lower in found:
                    found[lower].append(text)
                else:
                    found[lower] = [text]
            self._by_header = found
        return self._by_header

    def cookies(self) -> dict[str, list[str]]:
        """The cookies' values by name, in order, without quotes around them. Source: RFC 6265, section 4.2."""
        if self._cookies is None:
            found: dict[str, list[str]] = {}
            for line in self.header(b"cookie"):
                for pair in line.split(";"):
                    name, equals, value = pair.partition("=")
                    if equals:
                        found.setdefault(name.strip(" \t"), []).append(_unquoted(value.strip(" \t")))
            self._cookies = found
        return self._cookies

    def content(self) -> bytes | Overlong:
        """The body. Raises BodyWanted when it is not here yet."""
        if self.body is None:
            raise BodyWanted
        self.asks_body = True
        return self.body

    def steps_to_read_json(self) -> int:
        """What `json` is still to take, in steps. Raises BodyWanted when the body is not here yet."""
        content = self.content()
        return json_values.steps_to_read(content) if self._json is None and isinstance(content, bytes) else 0

    def json(self) -> Any:
        """The body read as JSON, or ``json_values.UNREADABLE``. Raises BodyWanted when it is not here yet.

        Raises TurnOver where a long one is to be read in turns.
        """
        if self._json is None:
            content = self.content()
            if self.in_turns and self._is_read_in_turns(content):
                raise TurnOver
            self._json = (json_values.read(content) if isinstance(content, bytes) else json_values.UNREADABLE,)
        return self._json[0]

    def before_answer(self, *, wants_body: bool) -> None:
        """Called before an answer is made that is more than fixed bytes. Raises TurnOver when that is for a later turn.

        So it is with one that may read a long body as JSON: once it has begun, it is made in one go.
        """
        if not self.in_turns:
            return
        if wants_body and self._json is None and self._is_read_in_turns(self.content()):
            raise TurnOver
        self.work.pause()

    def go_on(self) -> bool:
        """In a turn after `TurnOver`: do a part of what is to be done before the request can be judged again.

        False: this turn has had enough, and there is more of it.
        """
        work = self.work
        if work.reading is None:
            return True
        try:
            next(work.reading)
        except StopIteration as read:
            work.reading = None
            self._json = (read.value,)
        return False

    def take_over(self, before: "Request") -> None:
        """Take over what was read and found of the same request when it was judged in the turns before."""
        self._json = before._json
        self._asked, self.asks_all_headers, self.asks_body = before._asked, before.asks_all_headers, before.asks_body
        work = self._work = before.work
        work.begin_turn()
        if before.body_value is not None:
            self.body_value = before.body_value.of_request(self)

    def _is_read_in_turns(self, content: bytes | Overlong) -> bool:
        if not isinstance(content, bytes) or not json_values.takes_parts(content):
            return False
        work = self.work
        if work.reading is None:
            work.reading = json_values.read_in_parts(content)
        return True


def read_form(text: str) -> dict[str, list[str]]:
    """Read a query, or the text of a form, into values by name, in order, decoded. Never fails."""
    # What urllib's parse_qsl reads, at a third of its cost: most names and values have nothing to decode.
    found: dict[str, list[str]] = {}
    encoded = "%" in text or "+" in text
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if encoded:
                name, value = _decode(name), _decode(value)
            found.setdefault(name, []).append(value)
    return found


def _decode(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape")


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
