"""Requests like one that was read before, but for header lines that mean nothing to the proxy: only those are read.

A client says most of what it says over and over, and a traced one says a number of its own each time. So a connection
learns which lines differ from one request to the next, as long as the proxy does not go by them. They are cut out of
the bytes of a head, and if what is left was met before, byte for byte, all that it says is known. Requests of which the
same is left are *alike*: what is decided about one holds for the others, unless somebody looked at one of the lines
that were cut out to decide. A first line that is new is read by itself, if all the rest is known.

The line with the session key may differ, too, where there is one such line alone: then the key is read of it, and what
is decided holds for requests whose keys come to the same (`alike`).

Nothing is understood here that the strict parser would not understand: it has read the same header lines before, but
for the values of a few that it frames nothing by, and those are of characters that stand in any value. So it is with a
first line: it has one form, and the target is of characters that stand in any path or query. Where anything is unusual
a request is read in full.
"""

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from understudy_server.core.redaction import SECRET_HEADERS, redact
from understudy_server.proxy.alike import Alike
from understudy_server.proxy.decisions import Decisions
from understudy_server.proxy.header_meanings import FREE, LENGTH, SESSION, HeaderMeanings
from understudy_server.proxy.memo import Store, Weighed
from understudy_server.proxy.messages import METHODS, ClientRequest, Header
from understudy_server.proxy.settings import ProxySettings

HEAD_BYTES_MAX: Final = 4 * 1024
BODY_BYTES_MAX: Final = 16 * 1024
"""Requests of which the one or the other is longer are read in full."""

CUTS_MAX: Final = 4
"""So many lines may differ from one request to the next."""

_HEADERS_BYTES_MAX: Final = 2 * 1024 * 1024
"""What all connections to an address remember of header lines."""

_KNOWN_BYTES_MAX: Final = 10 * 1024 * 1024
"""What those to all addresses remember of first lines; what was decided about them is counted where that is kept."""

# What Python needs for one, beside the bytes that it stands for, and those take some times their length.
_FIRST_BYTES: Final = 3_000
_KNOWN_BYTES: Final = 550

# To compile an expression takes as long as to read some hundred requests.
_MET_OFTEN: Final = 32

_MISSES_MAX: Final = 16
_REST_REQUESTS: Final = 256
"""When so many requests in a row were like none before, so many are not looked at."""

_EOL: Final = b"\r\n"
_END: Final = b"\r\n\r\n"
_END_BYTES: Final = len(_END)
_BLANKS: Final = b" \t"
# What stands behind the colon of a line: nothing that a strict parser could object to.
_ANY_VALUE: Final = rb"[ \t]*([\t\x20-\x7e\x80-\xff]*)"
_ANY_LENGTH: Final = rb"[ \t]*([1-9][\t\x20-\x7e\x80-\xff]*)"
_ANY_LINE: Final = rb"([^\r\n]*)"
_VALUE: Final = re.compile(_ANY_VALUE + rb"\r\n").match
_NO_LENGTH: Final = re.compile(rb"[ \t]*0[ \t]*\r\n").match
_LINE: Final = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (/[\w\-.~%!$&'()*+,;=:@/?]*) HTTP/1\.1").fullmatch
_new: Final = object.__new__
_numbers: Final = count()

# Its length can be told from the body itself, so the line may differ that says it.
_MAY_DIFFER: Final = FREE | {LENGTH, SESSION}

# What of a request its header lines do not say, and what is set of each.
_OF_ONE: Final = ("method", "target", "headers", "body", "alike")


class _Cut(NamedTuple):
    """A header line that is cut out: how it begins, with the end of the line before it, and what it means."""

    begins: bytes
    length: int
    name: bytes
    meaning: int


_Cuts = tuple[_Cut, ...]
_Places = tuple[int, ...]
"""Where lines stood that were cut out, counted from the end of the first line, each when those before it were."""


class _First(Weighed):
    """What the header lines of a request say that was read in full: ``fields``, but for the lines that are ``cuts``.
    ``rest`` is what is left without those.

    ``number`` is its own alone: what is known of first lines is found by that, and does not hold these lines.

    ``lines`` are the numbers of those lines, their names, and whether they are secrets. ``masked`` are the headers with
    secrets masked, ``None`` without any. ``length``: of the body in bytes, unless it is said by a line that was cut
    out, the one with the number ``told_by``; ``keyed_by``: of the one with the session key. -1: by none. ``match``
    matches a head with such lines, once they were met often: its groups are the first line, and what the cuts say.
    """

    __slots__ = (
        "_met",
        "cuts",
        "fields",
        "headers",
        "keyed_by",
        "length",
        "lines",
        "masked",
        "match",
        "number",
        "places",
        "rest",
        "told_by",
    )

    def __init__(self, request: ClientRequest, rest: bytes, cuts: _Cuts, places: _Places) -> None:
        super().__init__(_FIRST_BYTES + 8 * len(rest))
        self._met = 0
        self.number = next(_numbers)
        self.rest = rest
        self.match: Callable[[bytes], re.Match[bytes] | None] = _never
        self.cuts = cuts
        self.places = places
        self.headers: list[Header] = list(request.headers)
        names = [name for name, _ in self.headers]
        self.lines = tuple([(names.index(cut.name), cut.name, cut.name.lower() in SECRET_HEADERS) for cut in cuts])
        self.masked: list[Header] | None = list(redact(self.headers)) if request.has_secrets else None
        # With a place for all that is set for each: to make room for it then would take longer than all the rest.
        self.fields: dict[str, Any] = vars(request) | dict.fromkeys(_OF_ONE)
        if cuts:
            self.fields["differs"] = frozenset([cut.name.lower() for cut in cuts])
        meanings = [cut.meaning for cut in cuts]
        self.length = len(request.body)
        self.told_by = meanings.index(LENGTH) if LENGTH in meanings else -1
        self.keyed_by = meanings.index(SESSION) if SESSION in meanings else -1

    def meet(self) -> None:
        """Note that these lines were met again."""
        rest = self.rest
        self._met += 1
        # Where one cut stands in front of an earlier one, the place of that depends on what the other says.
        if self._met != _MET_OFTEN or not self.cuts or list(self.places) != sorted(self.places):
            return
        expression, begin = [_ANY_LINE], 0
        for place, cut in zip(self.places, self.cuts, strict=True):
            value = _ANY_LENGTH if cut.meaning == LENGTH else _ANY_VALUE
            expression += (re.escape(rest[begin:place] + cut.begins), value)
            begin = place
        self.match = re.compile(b"".join([*expression, re.escape(rest[begin:])])).match


class _Known(Weighed):
    """What a first line says in front of certain header lines. Before it ``is_met`` again there is no ``alike``."""

    __slots__ = ("alike", "is_met", "method", "target")

    def __init__(self, method: str, target: str, bytes_: int) -> None:
        # All that the base class sets, without the call: most targets come once.
        self.bytes = _KNOWN_BYTES + bytes_
        self.asked_for = False
        self.method = method
        self.target = target
        self.is_met = False
        self.alike: Alike | None = None


class Remembered:
    """What is remembered for all addresses together, up to a bound: what is of one is by what only that one has.

    ``known`` is by header lines and a first line, ``decisions`` are about requests alike.
    """

    __slots__ = ("decisions", "known")

    def __init__(self) -> None:
        self.known = Store[_Known](_KNOWN_BYTES_MAX)
        self.decisions = Decisions()


class Firsts:
    """What is remembered for all connections to an address, up to a bound.

    ``cuts`` are those that were learnt last. ``by_headers`` is by what is left of header lines; the rest as of
    `Remembered`. ``session_value`` is the session key that was read in full last.
    """

    __slots__ = ("by_headers", "cuts", "decisions", "known", "meanings", "session_value")

    def __init__(self, meanings: HeaderMeanings, remembered: Remembered | None = None) -> None:
        remembered = remembered or Remembered()
        self.meanings = meanings
        self.cuts: _Cuts = ()
        self.by_headers = Store[_First](_HEADERS_BYTES_MAX)
        self.known = remembered.known
        self.decisions = remembered.decisions
        self.session_value = b""


class AlikeReader:
    """Reads the requests of one connection that are like others before."""

    __slots__ = ("_before", "_cuts", "_first", "_firsts", "_known", "_misses", "_resting", "_settings", "bytes_max")

    def __init__(self, firsts: Firsts, settings: ProxySettings) -> None:
        self._firsts = firsts
        self._known = firsts.known.things
        self._settings = settings
        self.bytes_max = min(HEAD_BYTES_MAX + BODY_BYTES_MAX, settings.head_bytes_max)
        self._cuts = firsts.cuts
        self._first: _First | None = None
        """Of the lines that were known last: mostly the next ones are such, which one match tells."""
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
        first, line_end = self._first, data.find(_EOL)
        values: list[bytes] = []
        if first is not None and not first.cuts and data.startswith(first.rest, line_end):
            line, end = data[:line_end], line_end + len(first.rest)
        elif first is not None and (found := first.match(data)) is not None:
            end = found.end()
            line, *values = found.groups()
        else:
            line, end = data[:line_end], data.find(_END) + _END_BYTES
            first = self._find(data[line_end:end], values)
        if first is not None and end <= HEAD_BYTES_MAX and len(data) - end <= BODY_BYTES_MAX:
            body = data[end:]
            if not (body or first.length) or self._is_all(first, body, values):
                known = self._known.get((first.number, line)) or self._get_to_know(first, line)
                if known is not None:
                    known.asked_for = True
                    if known.alike is None and known.is_met:
                        known.alike = Alike(is_met=True, has_parts=first.keyed_by >= 0)
                    known.is_met = True
                    self._misses = 0
                    return _request(first, known, values, body)
        self._misses += 1
        if self._misses >= _MISSES_MAX:
            self._misses, self._resting = 0, _REST_REQUESTS
        return None

    def _find(self, lines: bytes, values: list[bytes]) -> _First | None:
        """Find out whether header lines are known; ``values`` gets what those say that are cut out."""
        cut_out = _cut_out(lines, self._cuts)
        if cut_out is None:
            return None
        rest, cuts, places, found = cut_out
        first = self._firsts.by_headers.get(rest)
        if first is None or first.cuts != cuts or first.places != places:
            return None
        values += found
        first.meet()
        self._first = first
        return first

    def _is_all(self, first: _First, body: bytes, values: list[bytes]) -> bool:
        """Whether this is the body that the head announces, and all of it."""
        if len(body) > self._settings.request_body_bytes_max:
            return False
        if first.told_by < 0:
            return len(body) == first.length
        return bool(body) and values[first.told_by] == b"%d" % len(body)

    def _get_to_know(self, first: _First, line: bytes) -> _Known | None:
        """Read a first line that is new to what stands behind it."""
        read = _LINE(line)
        if read is None:
            return None
        method, target = read.groups()
        if len(target) > self._settings.target_bytes_max:
            return None
        known = _Known(METHODS[method], target.decode("ascii"), 2 * len(line))
        self._firsts.known.put((first.number, line), known)
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
        if len(request.session_values) == 1:
            self._learn_key(request)
        cut_out = _cut_out(head[len(lines[0]) :], self._cuts)
        if cut_out is not None:
            rest, cuts, places, _ = cut_out
            known = self._firsts.by_headers.get(rest)
            if known is not None and known.cuts == cuts and known.places == places:
                # It was another part of it for which it was read in full.
                return
            first = _First(request, rest, cuts, places)
            if first.told_by >= 0 and not request.has_body:
                # It says that there is none, which is another thing.
                return
            if first.keyed_by >= 0 and len(request.session_values) != 1:
                # Another line has a key, too, and all of them count.
                return
            self._firsts.by_headers.put(rest, first)

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
                found.append(_cut(name, meaning))
                known.add(name)
        self._take_up(found, headers)

    def _learn_key(self, request: ClientRequest) -> None:
        """Learn that session keys differ where each connection has one of its own."""
        firsts, (value,) = self._firsts, request.session_values
        before, firsts.session_value = firsts.session_value, value
        if before in (b"", value):
            return
        name = next(name for name, _ in request.headers if firsts.meanings[name] == SESSION)
        if all(cut.name != name for cut in self._cuts):
            self._take_up([_cut(name, SESSION)], request.headers)

    def _take_up(self, found: list[_Cut], headers: Sequence[Header]) -> None:
        """Cut these out, too, from now on; in the order in which headers came."""
        if found and len(found) <= CUTS_MAX:
            kept = self._cuts if len(self._cuts) + len(found) <= CUTS_MAX else ()
            order = {name: -number for number, (name, _) in enumerate(reversed(headers))}
            self._cuts = self._firsts.cuts = tuple(sorted([*kept, *found], key=lambda cut: order.get(cut.name, 1)))


def _never(_data: bytes) -> None:
    """Matches nothing."""


def _cut(name: bytes, meaning: int) -> _Cut:
    begins = _EOL + name + b":"
    return _Cut(begins, len(begins), name, meaning)


def _cut_out(lines: bytes, cuts: _Cuts) -> tuple[bytes, _Cuts, _Places, list[bytes]] | None:
    """What is left of header lines when the first line of each name is cut out; the lines that are there, where, and
    what they say. ``None`` when that is nothing usual. All begins with the end of the first line. A length of 0 stays:
    to have no body is another thing than to have one of any length.
    """
    rest, values = lines, []
    places: _Places = ()
    there = cuts
    for cut in cuts:
        place = rest.find(cut[0])
        if place < 0 or (cut[3] == LENGTH and _NO_LENGTH(rest, place + cut[1])):
            there = tuple([each for each in there if each is not cut])
            continue
        found = _VALUE(rest, place + cut[1])
        if found is None:
            return None
        places += (place,)
        values.append(found[1])
        rest = rest[:place] + rest[found.end(1) :]
    return rest, there, places, values


def _request(first: _First, known: _Known, values: list[bytes], body: bytes) -> ClientRequest:
    """Put a request together of what is known, and of what the lines say that were cut out."""
    request = _new(ClientRequest)
    request.__dict__ = fields = first.fields.copy()
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
        if first.keyed_by >= 0:
            fields["session_values"] = (headers[first.lines[first.keyed_by][0]][1],)
    fields["method"], fields["target"], fields["alike"] = known.method, known.target, known.alike
    fields["headers"], fields["body"] = headers, body
    if masked is not None:
        fields["masked"] = masked
    if body:
        fields["length"] = len(body)
    return request
