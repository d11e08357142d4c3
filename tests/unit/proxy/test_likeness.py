"""What is like something that was read before is not read again but for what differs: nobody may notice."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.redaction import redact
from understudy_server.proxy.header_meanings import HeaderMeanings
from understudy_server.proxy.likeness import BODY_BYTES_MAX, CUTS_MAX, HEAD_BYTES_MAX, Firsts
from understudy_server.proxy.messages import ClientRequest, Refused
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(target_bytes_max=64, head_bytes_max=512, headers_max=8, request_body_bytes_max=16)
_MEANINGS = HeaderMeanings(_SETTINGS.session_header)
_KEPT_BESIDE = frozenset({"alike", "differs", "masked", "masked_by"})


def _read(pieces: Sequence[bytes], firsts: Firsts | None, settings: ProxySettings = _SETTINGS) -> list[Event]:
    events: list[Event] = []
    parser = RequestParser(settings, events.append, _MEANINGS, None, firsts)
    for piece in pieces:
        parser.feed(piece)
    return events


def _told(events: Sequence[Event]) -> list[object]:
    """All that events say, and of requests how their headers go on record."""
    return [_said(each) if isinstance(each, ClientRequest) else each for each in events]


def _said(request: ClientRequest) -> tuple[dict[str, Any], object]:
    said = {name: getattr(request, name) for name in ClientRequest.__annotations__ if name not in _KEPT_BESIDE}
    masked = redact(request.headers) if request.masked is None else request.masked
    return said, tuple(masked)


def _get(target: bytes = b"/x", lines: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\nx-flowmock-session: ci-42\r\n%b\r\n" % (target, lines)


def _traced(number: int, target: bytes = b"/x") -> bytes:
    return _get(target, b"Cookie: sid=1\r\ntraceparent: 00-%032x-01\r\nAccept: */*\r\n" % number)


def _new_firsts() -> Firsts:
    return Firsts(_MEANINGS)


def _are_alike(events: Sequence[Event]) -> list[bool]:
    """Of each request whether it is known to be like one before it."""
    known: list[object] = []
    found = []
    for event in events:
        alike = event.alike if isinstance(event, ClientRequest) else None
        found.append(alike is not None and alike in known)
        known.append(alike)
    return found


def test_requests_that_differ_in_a_line_without_meaning_are_alike() -> None:
    # One is read in full, and the next one, which says what differs; one is the first that is like it, and may be the
    # last.
    events = _read([_traced(number) for number in range(6)], _new_firsts())
    assert _are_alike(events) == [False, False, False, False, True, True]
    last = events[-1]
    assert isinstance(last, ClientRequest)
    assert last.differs == {b"traceparent"}
    assert (b"traceparent", b"00-%032x-01" % 5) in last.headers


def test_old_client_that_keeps_its_connection_is_not_taken_for_a_new_one() -> None:
    firsts = _new_firsts()
    new = _get(b"/x", b"Connection: keep-alive\r\n")
    old = new.replace(b"HTTP/1.1", b"HTTP/1.0")
    for pieces in ([old] * 3, [new] * 3, [old] * 3):
        assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


def test_what_one_connection_has_learnt_others_know() -> None:
    firsts = _new_firsts()
    _read([_traced(number) for number in range(4)], firsts)
    assert _are_alike([*_read([_traced(8)], firsts), *_read([_traced(9)], firsts)]) == [False, True]


def test_first_line_that_is_new_makes_another_kind() -> None:
    pieces = [
        _traced(number, target) for number, target in enumerate([b"/x"] * 4 + [b"/y", b"/x", b"/y", b"/y", b"/y?a=1"])
    ]
    assert _are_alike(_read(pieces, _new_firsts()))[4:] == [False, True, False, True, False]


@pytest.mark.parametrize(
    "other",
    [
        _traced(9).replace(b"ci-42", b"ci-43"),
        _traced(9).replace(b"Host: a", b"Host: b"),
        _traced(9).replace(b"*/*", b"text/plain"),
        _traced(9).replace(b"sid=1", b"sid=2"),
        _traced(9).replace(b"GET", b"HEAD"),
        _traced(9).replace(b"HTTP/1.1", b"HTTP/1.0"),
        _traced(9).replace(b"traceparent", b"Traceparent"),
        _traced(9).replace(b"Accept: */*\r\n", b""),
        _get(b"/x", b"traceparent: 00-09-01\r\nCookie: sid=1\r\nAccept: */*\r\n"),
        _traced(9).replace(b"Accept", b"traceparent: 1\r\nAccept"),
        _traced(9).replace(b"Accept", b"Connection: close\r\nAccept"),
        _traced(9).replace(b"Accept", b"Content-Length: 1\r\nAccept") + b"a",
    ],
)
def test_what_differs_in_anything_else_is_of_another_kind(other: bytes) -> None:
    pieces = [*[_traced(number) for number in range(5)], other]
    events = _read(pieces, _new_firsts())
    assert _are_alike(events)[4:] == [True, False]
    assert _told(events) == _told(_read(pieces, None))


@pytest.mark.parametrize("value", [b"a\0b", b"a\nb", b"a\rb", b"a\x01b", b"a\x7fb", b"a\r\n b", b"a\r\nb"])
def test_value_that_is_not_plain_is_left_to_the_strict_parser(value: bytes) -> None:
    odd = _traced(9).replace(b"00-%032x-01" % 9, value)
    pieces = [*[_traced(number) for number in range(4)], odd, _traced(10)]
    assert _told(_read(pieces, _new_firsts())) == _told(_read(pieces, None))


@pytest.mark.parametrize("where", [b"/a%bb", b"/a?b=%bc", b"%b/a"])
def test_any_byte_in_a_target_is_taken_as_the_strict_parser_takes_it(where: bytes) -> None:
    firsts = _new_firsts()
    for byte in range(256):
        pieces = [*[_traced(number) for number in range(4)], _traced(9, where % bytes([byte]))]
        assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


def test_any_byte_in_a_value_is_taken_as_the_strict_parser_takes_it() -> None:
    firsts = _new_firsts()
    for byte in range(256):
        odd = _traced(9).replace(b"00-%032x-01" % 9, b"a%bb" % bytes([byte]))
        pieces = [*[_traced(number) for number in range(4)], odd]
        assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


def _keyed(key: bytes, number: int = 0) -> bytes:
    return _traced(number).replace(b"ci-42", key)


def test_each_has_the_session_key_that_it_carries() -> None:
    pieces = [_keyed(b"ci-%d" % number, number) for number in range(60)]
    events = _read(pieces, _new_firsts())
    keys = [each.session_values for each in events if isinstance(each, ClientRequest)]
    assert keys == [(b"ci-%d" % number,) for number in range(60)]
    assert all(_are_alike(events)[-40:])
    assert _told(events) == _told(_read(pieces, None))


def test_requests_that_differ_in_their_keys_are_alike_in_parts() -> None:
    events = _read([_keyed(b"ci-%d" % number) for number in range(6)], _new_firsts())
    assert [each.alike is not None and each.alike.has_parts for each in events if isinstance(each, ClientRequest)] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_keys_are_known_to_differ_where_each_connection_has_its_own() -> None:
    firsts = _new_firsts()
    for number in range(8):
        events = _read([_keyed(b"ci-%d" % number)] * 4, firsts)
    last = events[-1]
    assert isinstance(last, ClientRequest)
    assert last.session_values == (b"ci-7",)
    assert last.alike is not None
    assert last.alike.has_parts


@pytest.mark.parametrize(
    "second", [b"x-flowmock-session: ci-1\r\n", b"X-Flowmock-Session: ci-1\r\n", b"x-flowmock-session:\r\n"]
)
@pytest.mark.parametrize("behind", [True, False])
def test_second_key_counts_whatever_was_cut_out_before(second: bytes, *, behind: bool) -> None:
    """In both spellings, and in front of the one that differs or behind it."""
    firsts = _new_firsts()
    for spelling in (b"x-flowmock-session", b"X-Flowmock-Session"):
        pieces = [_keyed(b"ci-%d" % number, number).replace(b"x-flowmock-session", spelling) for number in range(6)]
        _read(pieces, firsts)
    place = b"Cookie" if behind else b"Host"
    pieces = [_keyed(b"ci-%d" % number, number).replace(place, second + place) for number in range(6)]
    for _ in range(3):
        assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


def test_key_in_a_header_that_holds_credentials_is_masked_on_record() -> None:
    settings = ProxySettings(session_header="X-Api-Key")
    firsts = Firsts(HeaderMeanings(settings.session_header))
    pieces = [
        b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: sid=1\r\nX-Api-Key: k-%d\r\n\r\n" % number for number in range(60)
    ]
    for _ in range(2):
        events: list[Event] = []
        parser = RequestParser(settings, events.append, firsts.meanings, None, firsts)
        for piece in pieces:
            parser.feed(piece)
        for each in events:
            assert isinstance(each, ClientRequest)
            assert list(redact(each.headers) if each.masked is None else each.masked) == list(redact(each.headers))


@pytest.mark.parametrize("values", [("keep-alive", "a", "b", "close"), ("a", "b", "c", "upgrade", "a")])
def test_old_name_of_the_connection_header_is_never_taken_for_another(values: tuple[str, ...]) -> None:
    lines = [b"Upgrade: websocket\r\nProxy-Connection: %b\r\n" % value.encode() for value in values]
    pieces = [_get(b"/x", each) for each in lines]
    assert _told(_read(pieces, _new_firsts())) == _told(_read(pieces, None))


def _uploaded(inner: bytes) -> list[bytes]:
    """A request of as many lines as what it uploads has, which comes later."""
    return [b"POST /x HTTP/1.1\r\nHost: a\r\nCookie: sid=1\r\nContent-Length: %d\r\n\r\n" % len(inner), inner]


def test_body_that_comes_later_is_no_head_whatever_it_looks_like() -> None:
    firsts, settings, inner = _new_firsts(), ProxySettings(), _get(b"/x", b"Accept: */*\r\n")
    _read(_uploaded(inner), firsts, settings)
    for other in (inner, _get(b"/y", b"Accept: */*\r\n")):
        assert _told(_read([other], firsts, settings)) == _told(_read([other], None, settings))


def test_secret_that_differs_is_masked_and_what_is_none_is_kept() -> None:
    pieces = [_traced(number).replace(b"sid=1", b"sid=%d" % number) for number in range(5)]
    last = _read(pieces, _new_firsts())[-1]
    assert isinstance(last, ClientRequest)
    assert last.differs == {b"cookie", b"traceparent"}
    assert last.masked is not None
    assert list(last.masked) == list(redact(last.headers))
    assert (b"Cookie", b"sid=4") in last.headers


def test_more_lines_than_a_few_are_not_cut_out() -> None:
    def varied(number: int) -> bytes:
        return _get(b"/x", b"".join([b"x-%d: %d\r\n" % (each, number) for each in range(CUTS_MAX + 1)]))

    pieces = [varied(number) for number in range(5)]
    events = _read(pieces, _new_firsts())
    assert not any(_are_alike(events))
    assert _told(events) == _told(_read(pieces, None))


def _posted(body: bytes, length: int = -1) -> bytes:
    length = len(body) if length < 0 else length
    return b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nAccept: */*\r\n\r\n%b" % (length, body)


def test_body_is_read_with_the_head_that_announces_it() -> None:
    bodies = [b"1", b"2", b"3", b"44", b"55", b"666", b"7777", b"\r\n\r\n", b"9"]
    events = _read([_posted(body) for body in bodies], _new_firsts())
    assert [(each.body, each.length) for each in events if isinstance(each, ClientRequest)] == [
        (body, len(body)) for body in bodies
    ]
    # Once the length was seen to differ it makes no difference.
    assert _are_alike(events) == [False, False, False, False, False, False, True, True, True]


def test_one_without_a_body_is_like_others_without_where_lengths_differ() -> None:
    firsts = _new_firsts()
    _read([_posted(b"1" * length) for length in range(1, 12)], firsts)
    pieces = [_posted(b""), _posted(b"").replace(b"/x", b"/y"), _posted(b"ab"), _posted(b"").replace(b"/x", b"/y")] * 4
    events = _read(pieces, firsts)
    assert _are_alike(events)[-4:] == [True, True, True, True]
    assert _told(events) == _told(_read(pieces, None))


@pytest.mark.parametrize(
    "odd",
    [
        _posted(b"ab", 1),
        _posted(b"a", 2),
        _posted(b"", 0),
        _posted(b"a" * 17),
        _posted(b"ab").replace(b": 2", b": 02"),
        _posted(b"ab").replace(b": 2", b": +2"),
        _posted(b"ab").replace(b": 2", b":  2 "),
        _posted(b"ab").replace(b": 2", b": 2\r\nContent-Length: 2"),
        _posted(b"ab").replace(b": 2", b": 2\r\nTransfer-Encoding: chunked"),
        _posted(b"ab").replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        _posted(b"a") + _posted(b"b"),
        _posted(b"1abc", 1),
        _posted(b"ab").replace(b"POST", b"GET"),
    ],
)
def test_length_that_is_not_plainly_that_of_the_body_is_left_to_the_strict_parser(odd: bytes) -> None:
    firsts = _new_firsts()
    for body in (b"1", b"22", b"333", b"4444"):
        _read([_posted(body)] * 2 + [_posted(b"")] * 2, firsts)
    pieces = [_posted(b"1"), _posted(b"22"), odd, b"b", _posted(b"1")]
    assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


@pytest.mark.parametrize("odd", [_posted(b"abc", 2), _posted(b"a", 2), _posted(b"", 2)])
def test_length_that_never_differed_is_held_against_the_body_too(odd: bytes) -> None:
    pieces = [*[_posted(b"%02d" % number) for number in range(5)], odd, b"c"]
    assert _told(_read(pieces, _new_firsts())) == _told(_read(pieces, None))


def test_target_that_is_too_long_is_refused_behind_others_that_are_not() -> None:
    pieces = [*[_traced(number) for number in range(5)], _traced(9, b"/" + b"a" * _SETTINGS.target_bytes_max)]
    events = _read(pieces, _new_firsts())
    assert _told(events) == _told(_read(pieces, None))
    assert isinstance(events[-1], Refused)


def test_client_that_never_repeats_itself_is_left_alone_for_a_while() -> None:
    pieces = [_get(b"/x", b"x-%d: 1\r\n" % number) for number in range(40)] + [_traced(number) for number in range(300)]
    events = _read(pieces, _new_firsts())
    assert _told(events) == _told(_read(pieces, None))
    assert not any(_are_alike(events)[:200])
    assert all(_are_alike(events)[-20:])


def test_other_lines_that_differ_later_do_not_make_known_requests_unknown() -> None:
    firsts = _new_firsts()
    _read([_traced(number) for number in range(5)], firsts)
    _read([_get(b"/x", b"other: %d\r\n" % number) for number in range(5)], firsts)
    assert _are_alike(_read([_traced(number) for number in range(2)], firsts)) == [False, True]


def test_long_requests_are_read_in_full() -> None:
    settings = ProxySettings()
    events: list[Event] = []
    parser = RequestParser(settings, events.append, _MEANINGS, None, Firsts(_MEANINGS))
    for number in range(4):
        parser.feed(_get(b"/x", b"x: %b\r\ny: %d\r\n" % (b"a" * HEAD_BYTES_MAX, number)))
    assert not any(_are_alike(events))


def test_long_bodies_are_read_in_full() -> None:
    settings, events = ProxySettings(), list[Event]()
    parser = RequestParser(settings, events.append, _MEANINGS, None, Firsts(_MEANINGS))
    for size in (10, BODY_BYTES_MAX, 10, BODY_BYTES_MAX, 10, BODY_BYTES_MAX, BODY_BYTES_MAX + 1, 10):
        parser.feed(_get(b"/x", b"Content-Length: %d\r\n" % size).replace(b"GET", b"POST") + b"a" * size)
    assert _are_alike(events) == [False, False, False, False, True, True, False, True]


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Host: a",
                b"host: b",
                b"x-flowmock-session: ci-42",
                b"x-flowmock-session: ci-43",
                b"x-flowmock-session:\t",
                b"X-Flowmock-Session:b ",
                b"traceparent: 1",
                b"traceparent:",
                b"traceparent:\t 3 \t",
                b"Traceparent: 4",
                b"Cookie: a=1",
                b"cookie: a=2",
                b"Authorization: Bearer x",
                b"Accept: */*",
                b"Origin: http://a",
                b"Connection: keep-alive",
                b"Connection: close",
                b"Connection: traceparent",
                b"Content-Length: 0",
                b"Content-Length: 2",
                b"Transfer-Encoding: chunked",
                b"Expect: 100-continue",
                b"Upgrade: h2c",
                b"Upgrade: websocket\r\nConnection: Upgrade",
                b"traceparent : 1",
                b" traceparent: 1",
                b"no colon",
                b"",
            ]
        ),
        st.binary(max_size=4).map(lambda value: b"traceparent: " + value),
        st.binary(max_size=4).map(lambda value: b"Accept:" + value),
        st.binary(max_size=4).map(lambda value: b"x-flowmock-session:" + value),
    ),
    max_size=5,
)
_BEGINS = st.sampled_from(
    [
        b"GET /x HTTP/1.1",
        b"GET /x HTTP/1.1",
        b"GET /y?a=\xe9 HTTP/1.1",
        b"POST /x HTTP/1.1",
        b"HEAD /x HTTP/1.1",
        b"GET /x HTTP/1.0",
        b"GET /x HTTP/2.0",
        b"GET  /x HTTP/1.1",
        b"GET /x#y HTTP/1.1",
        b"GET /\x01 HTTP/1.1",
        b"GET " + b"/" * 70 + b" HTTP/1.1",
        b"CONNECT a:1 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET http://a/x HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET x HTTP/1.1",
        b"",
    ]
)
_HEADS = st.tuples(_BEGINS, _LINES, st.sampled_from([b"", b"", b"", b"ab", b"xy", b"0\r\n\r\n", b"\r\n", b"G"])).map(
    lambda head: b"\r\n".join([head[0], b"Host: a", *head[1], b"", b""]) + head[2]
)


@given(st.lists(_HEADS, min_size=1, max_size=4), st.data())
def test_likeness_makes_no_difference(heads: list[bytes], data: st.DataObject) -> None:
    firsts = _new_firsts()
    # Learnt on connections that go well, and then put to streams that may not.
    for head in [*heads, _traced(1), _traced(2), _traced(3), _keyed(b"ci-1"), _keyed(b"ci-2")]:
        _read([head, head.replace(b": ", b": 7", 3), head], firsts)
    known = [*heads, *map(_traced, range(3)), _keyed(b"ci-3"), _keyed(b"ci-4", 9)]
    pieces = data.draw(st.lists(st.sampled_from([*known, b"G", b"ab", b"\r\n"]), max_size=8))
    assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))
    assert _told(_read(pieces, firsts)) == _told(_read(pieces, None))


@pytest.mark.parametrize("often", [1, 40])
@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=6), st.binary(max_size=6)), max_size=12))
def test_any_bytes_for_values_make_no_difference(often: int, rows: list[tuple[int, bytes, bytes]]) -> None:
    pieces = [_keyed(b"ci-%d" % number, number) for number in range(4)]
    for where, value, other in rows:
        target = [b"/x", b"/" + value, b"/x"][where]
        lines = b"Cookie: %b\r\ntraceparent: %b\r\nAccept: */*\r\n" % (other, value)
        pieces.append(_get(target, lines))
        pieces.append(_keyed(value).replace(b"sid=1", other))
    firsts = _new_firsts()
    # What is met often is matched by an expression.
    _read([_keyed(b"ci-%d" % number, number) for number in range(often)], firsts)
    # Each on a connection of its own, since the first that is refused ends one.
    for piece in [*pieces, *pieces]:
        row = [_traced(1), _keyed(b"ci-7", 1), piece, _traced(2)]
        assert _told(_read(row, firsts)) == _told(_read(row, None))


_SENT = st.one_of(
    st.sampled_from([_get(b"/x", b"Accept: */*\r\n"), _get(b"/y", b"Accept: */*\r\n"), _traced(1), _traced(2)]),
    st.sampled_from([_keyed(b"ci-1"), _keyed(b"ci-2"), _keyed(b"ci-3", 3), _keyed(b"", 4)]),
    st.sampled_from([_get(b"/x", b"Accept: */*\r\n"), _traced(1)]).map(lambda inner: b"".join(_uploaded(inner))),
)


@given(st.lists(st.tuples(_SENT, st.lists(st.integers(1, 300), max_size=3)), min_size=1, max_size=8))
def test_how_requests_come_in_pieces_teaches_nothing_that_is_not_so(sent: list[tuple[bytes, list[int]]]) -> None:
    firsts, settings = _new_firsts(), ProxySettings()
    for whole, cuts in sent:
        places = [0, *sorted({min(cut, len(whole)) for cut in cuts}), len(whole)]
        pieces = [whole[begin:end] for begin, end in itertools.pairwise(places) if begin < end]
        assert _told(_read(pieces, firsts, settings)) == _told(_read(pieces, None, settings))
