"""Requests like one that was read before, but for header lines that mean nothing to the proxy: only those are read.

A client says most of what it says over and over, and a traced one says a number of its own each time. So a connection
learns which lines differ from one request to the next, as long as the proxy does not go by them. They are cut out of
the bytes of a head, and if what is left was met before, byte for byte, all that it says is known. Requests of which the
same is left are *alike*: what is decided about one holds for the others, unless somebody looked at one of the lines
that were cut out to decide. A first line that is new is read by itself, if all the rest is known.

Nothing is understood here that the strict parser would not understand: it has read the same header lines before, but
for the values of a few that it frames nothing by, and those are of characters that stand in any value. So it is with a
first line: it has one form, and the target is of characters that stand in any path or query. Where anything is unusual
a request is read in full.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from understudy_server.core.redaction import redact
from understudy_server.proxy.header_meanings import FREE, LENGTH, SECRET, HeaderMeanings
from understudy_server.proxy.memo import Memo
from understudy_server.proxy.messages import METHODS, ClientRequest, Header
from understudy_server.proxy.settings import ProxySettings

HEAD_BYTES_MAX: Final = 4 * 1024
BODY_BYTES_MAX: Final = 16 * 1024
"""Requests of which the one or the other is longer are read in full."""

CUTS_MAX: Final = 4
"""So many lines may differ from one request to the next."""

_MISSES_MAX: Final = 16
_REST_REQUESTS: Final = 256
"""When so many requests in a row were like none before, so many are not looked at."""

_EOL: Final = b"\r\n"
_END: Final = b"\r\n\r\n"
_END_BYTES: Final = len(_END)
_BLANKS: Final = b" \t"
# What stands behind the colon of a line, with its end: nothing that a strict parser could object to.
_VALUE: Final = re.compile(rb"[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n").match
_LINE: Final = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (/[\w\-.~%!$&'()*+,;=:@/?]*) HTTP/1\.1").fullmatch
_new: Final = object.__new__

# Its length can be told from the body itself, so the line may differ that says it.
_MAY_DIFFER: Final = FREE | {LENGTH}

# What of a request its header lines do not say.
_OF_ONE: Final = frozenset({"method", "target", "headers", "body", "alike"})


class _Cut(NamedTuple):
    """A header line that is cut out: how it begins, with the end of the line before it."""

    begins: bytes
    length: int
    name: bytes
    is_secret: bool


_Cuts = tuple[_Cut, ...]
_Places = tuple[int, ...]
"""Where lines stood that were cut out, each when those before it were."""


class _First(NamedTuple):
    """A request that was read in full. ``places``, of what was cut out of it, count from the end of its first line.

    ``lines`` are the numbers of these header lines, their names, and whether they are secrets.
    ``masked`` are its headers with secrets masked, ``None`` without any; ``fields`` are what the other lines say.
    ``length``: of the body in bytes, unless it is said by a line that was cut out, the one with the number ``told_by``.
    """

    cuts: _Cuts
    places: _Places
    lines: tuple[tuple[int, bytes, bool], ...]
    headers: list[Header]
    masked: list[Header] | None
    fields: dict[str, Any]
    length: int
    told_by: int


class Alike:
    """What is known of all requests that are alike: left here by whoever decided, for whoever decides next."""

    __slots__ = ("decided", "is_met", "standing")

    def __init__(self, *, is_met: bool = False) -> None:
        self.is_met = is_met
        """True when there was one before: what comes once may never come again."""
        self.decided: Any = None
        """What was decided about them."""
        self.standing: Any = None
        """What answers them, as it goes on record and as it is sent."""


class _Known(NamedTuple):
    """What is known of a head without the lines that were cut out. ``places`` count from its beginning.

    ``fields`` are what it says, besides the headers. Without ``alike`` it came once.
    """

    first: _First
    places: _Places
    fields: dict[str, Any]
    alike: Alike | None


class Firsts:
    """What is remembered for all connections of a listener, up to a bound.

    ``cuts`` are those that were learnt last. ``known`` is by what is left of a head, ``by_headers`` by what is left of
    it behind its first line.
    """

    __slots__ = ("by_headers", "cuts", "known", "meanings")

    def __init__(self, meanings: HeaderMeanings) -> None:
        self.meanings = meanings
        self.cuts: _Cuts = ()
        self.known = Memo[_Known]()
        self.by_headers = Memo[_First]()


class AlikeReader:
    """Reads the requests of one connection that are like others before."""

    __slots__ = ("_before", "_cuts", "_firsts", "_misses", "_resting", "_settings", "bytes_max")

    def __init__(self, firsts: Firsts, settings: ProxySettings) -> None:
        self._firsts = firsts
        self._settings = settings
        self.bytes_max = min(HEAD_BYTES_MAX + BODY_BYTES_MAX, settings.head_bytes_max)
        self._cuts = firsts.cuts
        self._before: list[bytes] = []
        """The lines of the last request that was read in full."""
        self._misses = self._resting = 0

    def read(self, data: bytes) -> ClientRequest | None:
        """Read what came where a request begins, if that is one like others before; else ``None``, to be read in full.

        It is whole and the only one, and the connection outlives it.
        """
        if self._resting:
            self._resting -= 1
            return None
        end = data.find(_END) + _END_BYTES
        head, body = (data, b"") if end == len(data) else (data[:end], data[end:])
        if end > HEAD_BYTES_MAX or len(body) > BODY_BYTES_MAX:
            return None
        cut_out = _cut_out(head, self._cuts)
        if cut_out is not None:
            rest, cuts, places, values = cut_out
            known = self._firsts.known.get(rest)
            if known is None or known.alike is None or known.places != places or known.first.cuts != cuts:
                known = self._meet(known, rest, cuts, places)
            if known is not None and (not (body or known.first.length) or self._is_all(known.first, body, values)):
                self._misses = 0
                return _request(known, values, body)
        self._misses += 1
        if self._misses >= _MISSES_MAX:
            self._misses, self._resting = 0, _REST_REQUESTS
        return None

    def _is_all(self, first: _First, body: bytes, values: list[bytes]) -> bool:
        """Whether this is the body that the head announces, and all of it."""
        if len(body) > self._settings.request_body_bytes_max:
            return False
        if first.told_by < 0:
            return len(body) == first.length
        return bool(body) and values[first.told_by] == b"%d" % len(body)

    def _meet(self, known: _Known | None, rest: bytes, cuts: _Cuts, places: _Places) -> _Known | None:
        """Get to know what is met for the first time, or for the second."""
        if known is None or known.places != places or known.first.cuts != cuts:
            return self._get_to_know(rest, cuts, places)
        alike = Alike(is_met=True)
        known = known._replace(alike=alike, fields={**known.fields, "alike": alike})
        self._firsts.known.put(rest, known)
        return known

    def _get_to_know(self, rest: bytes, cuts: _Cuts, places: _Places) -> _Known | None:
        """Read a first line that is new to what stands behind it."""
        begin, _, headers = rest.partition(_EOL)
        first, line = self._firsts.by_headers.get(headers), _LINE(begin)
        if first is None or line is None or first.cuts != cuts or first.places != _behind(begin, places):
            return None
        method, target = line.groups()
        if len(target) > self._settings.target_bytes_max:
            return None
        fields = first.fields.copy()
        fields["method"], fields["target"] = METHODS[method], target.decode("ascii")
        known = _Known(first, places, fields, None)
        self._firsts.known.put(rest, known)
        return known

    def learn(self, data: bytes, request: ClientRequest) -> None:
        """Remember a request that was read in full, for others like it; ``data`` was it and nothing else."""
        if self._resting or request.chunked or request.http_1_0 or not request.keep_alive or request.upgrade:
            return
        head = data[: data.find(_END) + _END_BYTES]
        lines = head.split(_EOL)
        if len(head) > HEAD_BYTES_MAX or len(lines) != len(request.headers) + 3:
            # It is long, or there is something before it that does not count.
            return
        self._learn_cuts(lines, request.headers)
        cut_out = _cut_out(head, self._cuts)
        if cut_out is not None:
            rest, cuts, places, _ = cut_out
            begin = lines[0]
            first = _first(request, cuts, _behind(begin, places))
            if first.told_by >= 0 and not request.has_body:
                # It says that there is none, which is another thing.
                return
            self._firsts.by_headers.put(rest[len(begin) + len(_EOL) :], first)

    def _learn_cuts(self, lines: list[bytes], headers: Sequence[Header]) -> None:
        """Learn which lines differ from those of the request before, if that had lines of the same names."""
        before, self._before = self._before, lines
        if len(before) != len(lines):
            return
        known = {cut.name for cut in self._cuts}
        found: list[_Cut] = []
        for line, other, (name, _) in zip(lines[1:], before[1:], headers, strict=False):
            if line == other:
                continue
            begins, meaning = name + b":", self._firsts.meanings[name]
            if meaning not in _MAY_DIFFER or not other.startswith(begins):
                return
            if name not in known:
                found.append(_Cut(_EOL + begins, len(_EOL + begins), name, meaning == SECRET))
                known.add(name)
        if found and len(found) <= CUTS_MAX:
            kept = self._cuts if len(self._cuts) + len(found) <= CUTS_MAX else ()
            self._cuts = self._firsts.cuts = (*kept, *found)


def _cut_out(head: bytes, cuts: _Cuts) -> tuple[bytes, _Cuts, _Places, list[bytes]] | None:
    """What is left of a head when the first line of each name is cut out; the lines that are there, where, and what
    they say. ``None`` when that is nothing usual.
    """
    rest, values = head, []
    places: _Places = ()
    there = cuts
    for cut in cuts:
        place = rest.find(cut[0])
        if place < 0:
            there = tuple([each for each in there if each is not cut])
            continue
        found = _VALUE(rest, place + cut[1])
        if found is None:
            return None
        places += (place,)
        values.append(found[1])
        rest = rest[:place] + rest[found.end(1) :]
    return rest, there, places, values


def _behind(begin: bytes, places: _Places) -> _Places:
    """Places, counted from the end of the first line."""
    return tuple([place - len(begin) for place in places])


def _first(request: ClientRequest, cuts: _Cuts, places: _Places) -> _First:
    headers = list(request.headers)
    names = [name for name, _ in headers]
    fields = {name: value for name, value in vars(request).items() if name not in _OF_ONE}
    if cuts:
        fields["differs"] = frozenset([cut.name.lower() for cut in cuts])
    masked = list(redact(headers)) if request.has_secrets else None
    lines = tuple([(names.index(cut.name), cut.name, cut.is_secret) for cut in cuts])
    told_by = next((number for number, cut in enumerate(cuts) if cut.name.lower() == b"content-length"), -1)
    return _First(cuts, places, lines, headers, masked, fields, len(request.body), told_by)


def _request(known: _Known, values: list[bytes], body: bytes) -> ClientRequest:
    """Put a request together of what is known, and of what the lines say that were cut out."""
    first = known.first
    request = _new(ClientRequest)
    request.__dict__ = fields = known.fields.copy()
    headers, masked = first.headers, first.masked
    if values:
        headers = headers.copy()
        if masked is not None:
            masked = masked.copy()
        for (number, name, is_secret), value in zip(first.lines, values, strict=False):
            # The end of a value is not white space, and its begin is not either.
            headers[number] = header = (name, value.rstrip(_BLANKS))
            if masked is not None and not is_secret:
                masked[number] = header
    fields["headers"] = headers
    if masked is not None:
        fields["masked"] = masked
    if body:
        fields["body"], fields["length"] = body, len(body)
    return request
