"""The ids of stubs, and of the mocks that they are."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.assertive import names

_LEGAL = re.compile(r"ovr_[A-Za-z0-9_-]{1,64}", re.ASCII)


def test_an_id_that_fits_is_written_as_it_is() -> None:
    made = str(uuid.UUID(int=7, version=4))
    assert names.mock_id(made) == f"ovr_{made}"
    assert names.stub_id(f"ovr_{made}") == made


def test_an_id_that_does_not_fit_is_written_in_base64() -> None:
    assert names.mock_id("my stub") == "ovr_x--bXkgc3R1Yg"
    assert names.stub_id("ovr_x--bXkgc3R1Yg") == "my stub"


def test_an_id_that_looks_encoded_is_encoded() -> None:
    assert names.mock_id("x--bXkgc3R1Yg") != "ovr_x--bXkgc3R1Yg"
    assert names.stub_id(names.mock_id("x--bXkgc3R1Yg")) == "x--bXkgc3R1Yg"


@pytest.mark.parametrize("stub_id", ["", "é" * 23, "a b" * 16, "\ud800"])
def test_an_id_that_no_mock_can_have_is_refused(stub_id: str) -> None:
    with pytest.raises(names.UnusableStubId):
        names.mock_id(stub_id)


@pytest.mark.parametrize(
    "mock_id", ["ovr_payDeclined", "ovr_x--", "ovr_x--%%", "ovr_x--YQ-", "ovr_x--YWJj", "ovr_x--_w"]
)
def test_a_mock_that_was_made_otherwise_is_shown_by_its_name(mock_id: str) -> None:
    assert names.stub_id(mock_id) == mock_id.removeprefix("ovr_")


@given(st.text(min_size=1, max_size=11) | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True) | st.just("x--a"))
def test_ids_are_read_back_and_none_is_that_of_another(stub_id: str) -> None:
    mock_id = names.mock_id(stub_id)
    assert _LEGAL.fullmatch(mock_id)
    assert names.stub_id(mock_id) == stub_id
