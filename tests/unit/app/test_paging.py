"""Page tokens: ours or refused, whatever text comes."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1.mock_service_pb2 import ListMocksRequest
from understudy_server.app.call import Place
from understudy_server.app.paging import Pages, pages
from understudy_server.core.errors import InvalidInput

HERE = Place("prj_a", "checkout", "env_a", "staging")
MOCKS = pages(HERE, ListMocksRequest())

tokens = st.text(alphabet="ABCMWQYZabcxyz0123456789-_+/= \n", max_size=24) | st.text(max_size=40)
tokens |= st.binary(max_size=20).map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
tokens |= st.binary(max_size=20).map(
    lambda raw: base64.urlsafe_b64encode(b"2" + MOCKS.mark + raw).rstrip(b"=").decode()
)


@given(st.text(max_size=300))
def test_a_token_leads_back_to_its_name(name: str) -> None:
    assert MOCKS.name_before(MOCKS.token_after(name)) == name


@given(tokens)
def test_any_text_is_refused_or_is_the_very_token_we_give(token: str) -> None:
    try:
        name = MOCKS.name_before(token)
    except InvalidInput:
        return
    assert token in ("", MOCKS.token_after(name))


def test_no_token_starts_at_the_beginning() -> None:
    assert MOCKS.name_before("") == ""


def test_how_a_place_is_named_and_how_long_a_page_is_are_no_part_of_the_question() -> None:
    request = ListMocksRequest(project="checkout", environment="staging", page_size=7, page_token="x")
    assert pages(HERE, request) == MOCKS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token + "\n",
        lambda token: token[:-1],
        lambda token: token[:-1] + "B",
        lambda token: token.replace("_", "/"),
        lambda token: token[:4],
        lambda _: base64.urlsafe_b64encode(b"1" + bytes(6) + b"name").decode().rstrip("="),
        lambda _: base64.urlsafe_b64encode(b"2" + bytes(6) + b"\xff").decode().rstrip("="),
        lambda _: base64.urlsafe_b64encode(b"2" + bytes(5) + b"1name").decode().rstrip("="),
    ],
)
def test_another_spelling_of_a_token_is_not_ours(spoil: Callable[[str], str]) -> None:
    asked = Pages(bytes(6))
    token = asked.token_after("ab?x?ab")
    assert "_" in token
    with pytest.raises(InvalidInput):
        asked.name_before(spoil(token))
