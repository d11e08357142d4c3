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
