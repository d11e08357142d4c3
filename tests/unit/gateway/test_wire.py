from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.wire import BadLength, BodyTooLarge, Disconnected, pick_headers, raw_path, read_body


class Incoming:
    """What a client sends, and how much of it has been taken."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = list(events)
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        self.taken += 1
        return self.events.pop(0)


def chunks(*parts: bytes) -> Incoming:
    last = len(parts) - 1
    return Incoming(*({"type": "http.request", "body": part, "more_body": at < last} for at, part in enumerate(parts)))


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=5))
async def test_a_body_is_the_sum_of_its_parts(parts: list[bytes]) -> None:
    assert await read_body(None, chunks(*parts), 100) == b"".join(parts)


async def test_a_body_that_says_it_is_too_long_is_not_read_at_all() -> None:
    incoming = chunks(b"x" * 10)
    with pytest.raises(BodyTooLarge):
        await read_body(b"11", incoming, 10)
    assert incoming.taken == 0


async def test_a_body_that_grows_too_long_is_read_no_further() -> None:
    incoming = chunks(b"x" * 6, b"x" * 6, b"x" * 6)
    with pytest.raises(BodyTooLarge):
        await read_body(None, incoming, 10)
    assert incoming.taken == 2


async def test_a_body_as_long_as_allowed_is_read() -> None:
    assert await read_body(b"10", chunks(b"x" * 10), 10) == b"x" * 10


@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b"1.0", b"x", b" 1", b"0x1", b"1, 1", b"\xd9\xa1"])
async def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    with pytest.raises(BadLength):
        await read_body(length, chunks(b"x"), 10)


async def test_a_length_of_many_digits_is_too_large() -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(b"9" * 5000, chunks(b"x"), 10)


async def test_zeros_before_a_length_do_not_count() -> None:
    assert await read_body(b"0" * 5000 + b"1", chunks(b"x"), 10) == b"x"


async def test_a_body_shorter_than_it_says_is_refused() -> None:
    with pytest.raises(BadLength):
        await read_body(b"5", chunks(b"x"), 10)


async def test_a_client_that_leaves_in_the_middle_is_noticed() -> None:
    incoming = Incoming({"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"})
    with pytest.raises(Disconnected):
        await read_body(b"5", incoming, 10)


def test_the_first_of_several_headers_counts() -> None:
    lines = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    assert pick_headers(lines, {b"a", b"c"}) == {b"a": b"1"}


def test_a_path_that_was_not_kept_raw_is_encoded_again() -> None:
    assert raw_path({"path": "/a b/%2F:x"}) == b"/a%20b/%252F:x"
