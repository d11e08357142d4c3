"""A request as matchers see it."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching import json_values
from understudy_server.core.matching.request import OVERLONG, BodyWanted, Request


@given(st.text(alphabet="ab=&%+;26é\udcff", max_size=20))
def test_query_is_read_as_the_standard_library_reads_a_form(query: str) -> None:
    expected: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        expected.setdefault(name, []).append(value)
    assert Request("GET", "/", query).parameters() == expected


def test_a_body_that_is_not_here_yet_is_wanted_by_whoever_reads_it() -> None:
    request = Request("POST", "/", body=None)
    with pytest.raises(BodyWanted):
        request.content()
    with pytest.raises(BodyWanted):
        request.json()


def test_a_body_that_has_come_is_read_though_it_was_wanted_before() -> None:
    request = Request("POST", "/", body=None)
    with pytest.raises(BodyWanted):
        request.json()
    request.body = b"[1]"
    assert (request.content(), request.json()) == (b"[1]", [1])


def test_an_overlong_body_is_no_json() -> None:
    assert Request("POST", "/", body=OVERLONG).json() is json_values.UNREADABLE


_HEADERS = ((b"Accept", b"a"), (b"X-B", b"1"), (b"x-b", b"2"), (b"Cookie", b"sid=1"))


def test_it_is_known_which_headers_were_looked_at() -> None:
    request = Request("GET", "/", headers=_HEADERS)
    assert not request.looked_at({b"accept", b"x-b", b"cookie", b"absent"})
    assert request.header(b"x-b") == ["1", "2"]
    assert request.header(b"absent") == ()
    assert [request.looked_at({each}) for each in (b"x-b", b"absent", b"accept", b"cookie")] == [
        True,
        True,
        False,
        False,
    ]
    assert request.cookies() == {"sid": ["1"]}
    assert request.looked_at({b"cookie"})
    assert not request.looked_at({b"accept"})


def test_whoever_looks_at_all_headers_looks_at_each() -> None:
    request = Request("GET", "/", headers=_HEADERS)
    assert list(request.values_by_header()) == [b"accept", b"x-b", b"cookie"]
    assert request.looked_at({b"absent"})


def test_it_is_known_whether_the_body_was_looked_at() -> None:
    request = Request("POST", "/", body=b"1")
    assert not request.asks_body
    assert request.json() == 1
    assert request.asks_body


def test_what_was_looked_at_in_the_turns_before_was_looked_at() -> None:
    before, request = (
        Request("POST", "/", body=b"1", headers=_HEADERS),
        Request("POST", "/", body=b"1", headers=_HEADERS),
    )
    before.json()
    before.header(b"accept")
    request.take_over(before)
    assert (request.asks_body, request.looked_at({b"accept"}), request.looked_at({b"x-b"})) == (True, True, False)
