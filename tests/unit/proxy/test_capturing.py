"""What the journal keeps of a body."""

import gzip
import hashlib
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured
from understudy_server.core.headers import content_of
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.proxy.capturing import Capture, Keeping, capture

_MAX = 1000
_TEXT = b'{"a": "' + b"x" * 100 + b'"}'
_JSON = b"application/json"
_KEEPING = Keeping(_MAX)
_UNKNOWN = (b"", b"")


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _streamed_zstd(data: bytes) -> bytes:
    """With no size in its head, as a server that streams has it."""
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return packer.compress(data) + packer.flush()


_PACK: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZip", gzip.compress),
    "deflate": (b"deflate", zlib.compress),
    "brotli": (b"br", brotli.compress),
    "zstd": (b"zstd", zstandard.ZstdCompressor().compress),
    "zstd, streamed": (b"ZSTD", _streamed_zstd),
}
_packings = pytest.mark.parametrize(("coding", "pack"), _PACK.values(), ids=list(_PACK))


def test_body_is_kept_with_its_type() -> None:
    assert capture(b"hi", (_JSON, b""), _KEEPING) == Captured(b"hi", 2, "application/json")


def test_no_body_is_nothing() -> None:
    assert capture(b"", (_JSON, b""), _KEEPING) is None
    assert Capture((_JSON, b""), _KEEPING).captured() is None


def test_type_and_coding_are_the_first_that_a_head_tells_of() -> None:
    headers = ((b"CONTENT-TYPE", b"a/b"), (b"content-type", b"c/d"), (b"Content-Encoding", b"br"))
    assert content_of(headers) == (b"a/b", b"br")
    assert content_of(()) == (b"", b"")


@pytest.mark.parametrize(("size", "kept"), [(_MAX - 1, _MAX - 1), (_MAX, _MAX), (_MAX + 1, _MAX)])
def test_body_is_kept_up_to_the_limit(size: int, kept: int) -> None:
    captured = capture(b"x" * size, _UNKNOWN, _KEEPING)
    assert captured is not None
    assert (len(captured.content), captured.size_bytes, captured.truncated) == (kept, size, size > kept)


@_packings
def test_packed_body_is_kept_readable(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert capture(pack(_TEXT), (b"", coding), _KEEPING) == Captured(_TEXT, len(_TEXT))


@_packings
def test_packed_body_that_is_cut_is_kept_as_far_as_it_goes(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    plain = bytes(range(256)) * 8
    packed = pack(plain)
    captured = capture(packed, (b"", coding), Keeping(len(packed) // 2))
    assert captured is not None
    assert captured.truncated
    assert plain.startswith(captured.content)


@_packings
def test_bomb_is_inflated_up_to_the_limit_and_no_further(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    captured = capture(pack(bytes(2_000_000)), (b"", coding), Keeping(60_000))
    assert captured is not None
    assert captured.content == bytes(60_000)
    assert captured.truncated


@pytest.mark.parametrize("coding", [each[0] for each in _PACK.values()], ids=list(_PACK))
@pytest.mark.parametrize("body", [b"not packed at all", b'{"error": "plain after all"}', b"\x00\xff" * 20])
def test_body_that_is_not_what_its_header_says_is_kept_as_it_came(coding: bytes, body: bytes) -> None:
    assert capture(body, (b"", coding), _KEEPING) == Captured(body, len(body))


@pytest.mark.parametrize("coding", [b"identity", b"compress", b"gzip, br", b""])
def test_body_of_another_coding_is_kept_as_it_came(coding: bytes) -> None:
    packed = gzip.compress(_TEXT)
    assert capture(packed, (b"", coding), _KEEPING) == Captured(packed, len(packed))


def test_deflate_without_its_usual_wrapping_is_kept_as_it_came() -> None:
    packed = _raw_deflate(_TEXT)
    assert capture(packed, (b"", b"deflate"), _KEEPING) == Captured(packed, len(packed))


@given(st.lists(st.binary(max_size=30), max_size=10), st.integers(1, 100))
def test_body_in_parts_is_kept_as_if_it_had_come_whole(parts: list[bytes], bytes_max: int) -> None:
    streamed = Capture((_JSON, b""), Keeping(bytes_max))
    for part in parts:
        streamed.add(part)
    whole = b"".join(parts)
    assert streamed.size_bytes == len(whole)
    assert streamed.captured() == capture(whole, (_JSON, b""), Keeping(bytes_max))


@given(st.sampled_from([each[0] for each in _PACK.values()]), st.binary(min_size=1, max_size=60))
def test_any_bytes_are_kept_in_some_form(coding: bytes, body: bytes) -> None:
    captured = capture(body, (b"", coding), Keeping(50))
    assert captured is not None
    assert len(captured.content) <= 50


# Bodies in which values are masked.

_MASK = JsonMask((parse("$.card.number"), parse("$..secret")))
_MASKING = Keeping(_MAX, _MASK)
_AS_JSON = (_JSON, b"")
_CARD = b'{"card": {"number": "4111", "exp": 1.10}}'
_CARD_MASKED = b'{"card": {"number": "[redacted]", "exp": 1.10}}'


def _withheld(body: bytes, content_type: str = "application/json") -> Captured:
    return Captured(b"", len(body), content_type, hashlib.sha256(body).hexdigest())


def _streamed(parts: list[bytes], content: tuple[bytes, bytes], keeping: Keeping) -> Captured | None:
    capturing = Capture(content, keeping, b"")
    for part in parts:
        capturing.add(part)
    return capturing.captured()


def test_values_of_a_json_body_are_masked_and_its_length_is_that_of_the_body() -> None:
    captured = capture(_CARD, _AS_JSON, _MASKING)
    assert captured == Captured(_CARD_MASKED, len(_CARD), "application/json", MASKED)
    assert (captured.truncated, captured.sha256) == (False, "")


def test_masked_body_that_is_shorter_than_before_is_not_cut() -> None:
    body = b'{"secret":"%b"}' % (b"x" * 500)
    captured = capture(body, _AS_JSON, _MASKING)
    assert captured is not None
    assert (captured.content, captured.size_bytes) == (b'{"secret":"[redacted]"}', len(body))
    assert not captured.truncated


def test_json_body_in_which_nothing_is_selected_is_kept_as_it_came() -> None:
    assert capture(_TEXT, _AS_JSON, _MASKING) == Captured(_TEXT, len(_TEXT), "application/json")


@pytest.mark.parametrize(
    ("content_type", "masked"),
    [
        (b"application/json", True),
        (b"Application/JSON; charset=utf-8", True),
        (b"application/json ;x=1", True),
        (b"text/json", True),
        (b"application/problem+json", True),
        (b"application/vnd.shop.v1+JSON; q", True),
        (b"application/jsonp", False),
        (b"application/x-ndjson", False),
        (b"text/plain", False),
        (b"", False),
    ],
)
def test_bodies_that_say_they_are_json_are_masked(content_type: bytes, masked: bool) -> None:
    captured = capture(_CARD, (content_type, b""), _MASKING)
    assert captured is not None
    assert captured.content == (_CARD_MASKED if masked else _CARD)


@_packings
def test_packed_json_body_is_masked(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert capture(pack(_CARD), (_JSON, coding), _MASKING) == Captured(
        _CARD_MASKED, len(_CARD), "application/json", MASKED
    )


@pytest.mark.parametrize("coding", [b"identity", b"gzip", b"compress"])
def test_json_body_that_is_not_packed_whatever_its_head_says_is_masked(coding: bytes) -> None:
    captured = capture(_CARD, (_JSON, coding), _MASKING)
    assert captured is not None
    assert captured.content == _CARD_MASKED


_UNREADABLE = {
    "malformed": (b"{'card': {'number': '4111'}}", b""),
    "broken off": (_CARD[:-1], b""),
    "not UTF-8": (_CARD.replace(b"4111", b"\xff"), b""),
    "too long": (_CARD + b" " * _MAX, b""),
    "packed in an unknown way": (gzip.compress(_CARD), b"compress"),
    "packed twice": (gzip.compress(gzip.compress(_CARD)), b"gzip, gzip"),
    "packed and broken off": (gzip.compress(_CARD)[:-12], b"gzip"),
    "packed and too long": (gzip.compress(b'{"secret": "%b"}' % (b"x" * _MAX)), b"gzip"),
    "packed, and its end not kept": (gzip.compress(_CARD + b" " * _MAX), b"gzip"),
    "packed and too long also when packed": (gzip.compress(random.Random(1).randbytes(2 * _MAX)), b"gzip"),
    "too deep": (b'{"secret":1,"a":' * 300 + b"1" + b"}" * 300, b""),
}


@pytest.mark.parametrize(("body", "coding"), _UNREADABLE.values(), ids=list(_UNREADABLE))
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_json_body_that_cannot_be_read_is_kept_as_its_length_and_hash(body: bytes, coding: bytes, size: int) -> None:
    captured = capture(body, (_JSON, coding), _MASKING)
    assert captured == _withheld(body)
    assert captured.sha256 == hashlib.sha256(body).hexdigest()
    assert captured.truncated
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    assert _streamed(parts, (_JSON, coding), _MASKING) == captured


def test_body_that_masking_makes_too_long_is_cut_and_says_so() -> None:
    keeping = Keeping(100, JsonMask((parse("$[*]"),)))
    captured = capture(b"[" + b"1," * 40 + b"1]", _AS_JSON, keeping)
    assert captured == Captured(b"[" + b'"[redacted]",' * 7 + b'"[redact', 83, "application/json", MASKED_AND_CUT)
    assert (captured.truncated, captured.sha256) == (True, "")


@pytest.mark.parametrize("body", [_CARD, b"malformed"])
def test_of_a_body_of_which_nothing_is_kept_there_is_only_the_length(body: bytes) -> None:
    keeping = Keeping(0, _MASK)
    assert capture(body, _AS_JSON, keeping) == Captured(b"", len(body), "application/json")
    assert _streamed([body], _AS_JSON, keeping) == Captured(b"", len(body), "application/json")


@given(st.lists(st.binary(max_size=30) | st.just(_CARD), max_size=6), st.integers(1, 120))
def test_json_body_in_parts_is_masked_as_if_it_had_come_whole(parts: list[bytes], bytes_max: int) -> None:
    keeping = Keeping(bytes_max, _MASK)
    assert _streamed(parts, _AS_JSON, keeping) == capture(b"".join(parts), _AS_JSON, keeping)


@given(
    st.sampled_from([each[1] for each in _PACK.values()]), st.sampled_from([b"", b"gzip", b"br", b"deflate", b"zstd"])
)
def test_what_should_be_masked_is_kept_in_no_form(pack: Callable[[bytes], bytes], coding: bytes) -> None:
    secret = b"s3cr3t" * 5
    for body in (pack(b'{"secret":"%b"}' % secret), b'{"secret":"%b"' % secret):
        captured = capture(body, (_JSON, coding), _MASKING)
        assert captured is not None
        assert secret not in captured.content
        assert captured.content == b"" or captured.redacted == MASKED
