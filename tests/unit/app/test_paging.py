"""Page tokens: ours or refused, whatever text comes."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.app.paging import name_before, token_after
from understudy_server.core.errors import InvalidInput

tokens = st.text(alphabet="ABCMWQYZabcxyz0123456789-_+/= \n", max_size=24) | st.text(max_size=40)
tokens |= st.binary(max_size=20).map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


@given(st.text(max_size=300))
def test_a_token_leads_back_to_its_name(name: str) -> None:
    assert name_before(token_after(name)) == name


@given(tokens)
def test_any_text_is_refused_or_is_the_very_token_we_give(token: str) -> None:
    try:
        name = name_before(token)
    except InvalidInput:
        return
    assert token in ("", token_after(name))


def test_no_token_starts_at_the_beginning() -> None:
    assert name_before("") == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token + "\n",
        lambda token: token[:-1],
        lambda token: token[:-1] + "B",
        lambda token: token.replace("_", "/"),
        lambda token: base64.urlsafe_b64encode(b"2name").decode().rstrip("="),
        lambda token: base64.urlsafe_b64encode(b"1\xff").decode().rstrip("="),
    ],
)
def test_another_spelling_of_a_token_is_not_ours(spoil: Callable[[str], str]) -> None:
    token = token_after("x?ab")
    assert "_" in token
    with pytest.raises(InvalidInput):
        name_before(spoil(token))
