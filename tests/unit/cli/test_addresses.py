import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.cli.addresses import LOOPBACK, Address, read_address

HOSTS = st.sampled_from(["127.0.0.1", "0.0.0.0", "localhost", "staging.example.com", "::1", "fe80::1"])


@pytest.mark.parametrize("text", ["8080", ":8080", " 8080 "])
def test_an_address_without_a_host_is_on_loopback(text: str) -> None:
    assert read_address(text) == Address(LOOPBACK, 8080)


def test_an_address_with_a_host_keeps_it() -> None:
    assert read_address("0.0.0.0:80") == Address("0.0.0.0", 80)


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert read_address("[::1]:80") == Address("::1", 80)


@given(HOSTS, st.integers(0, 65_535))
def test_an_address_reads_back_as_it_was_written(host: str, port: int) -> None:
    assert read_address(str(Address(host, port))) == Address(host, port)


@pytest.mark.parametrize(
    "text", ["", "host", "host:", "65536", "-1", "::1:80", "a b:80", "host:80:80", "http://host:80"]
)
def test_what_is_not_an_address_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="give HOST:PORT, :PORT or PORT"):
        read_address(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= read_address(text).port <= 65_535
