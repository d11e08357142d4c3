"""What the journal keeps of a body."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.exchange import Captured
from understudy_server.proxy.capturing import Capture, capture, content_of

_MAX = 1000
_TEXT = b'{"a": "' + b"x" * 100 + b'"}'
_JSON = b"application/json"


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
    assert capture(b"hi", _JSON, b"", _MAX) == Captured(b"hi", 2, "application/json")


def test_no_body_is_nothing() -> None:
    assert capture(b"", _JSON, b"", _MAX) is None
    assert Capture(_MAX).captured(_JSON, b"") is None


def test_type_and_coding_are_the_first_that_a_head_tells_of() -> None:
    headers = ((b"CONTENT-TYPE", b"a/b"), (b"content-type", b"c/d"), (b"Content-Encoding", b"br"))
    assert content_of(headers) == (b"a/b", b"br")
    assert content_of(()) == (b"", b"")


@pytest.mark.parametrize(("size", "kept"), [(_MAX - 1, _MAX - 1), (_MAX, _MAX), (_MAX + 1, _MAX)])
def test_body_is_kept_up_to_the_limit(size: int, kept: int) -> None:
    captured = capture(b"x" * size, b"", b"", _MAX)
    assert captured is not None
    assert (len(captured.content), captured.size_bytes, captured.truncated) == (kept, size, size > kept)


@_packings
def test_packed_body_is_kept_readable(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert capture(pack(_TEXT), b"", coding, _MAX) == Captured(_TEXT, len(_TEXT))


@_packings
def test_packed_body_that_is_cut_is_kept_as_far_as_it_goes(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    plain = bytes(range(256)) * 8
    packed = pack(plain)
    captured = capture(packed, b"", coding, len(packed) // 2)
    assert captured is not None
    assert captured.truncated
    assert plain.startswith(captured.content)


@_packings
def test_bomb_is_inflated_up_to_the_limit_and_no_further(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    captured = capture(pack(bytes(2_000_000)), b"", coding, 60_000)
    assert captured is not None
    assert captured.content == bytes(60_000)
    assert captured.truncated


@pytest.mark.parametrize("coding", [each[0] for each in _PACK.values()], ids=list(_PACK))
@pytest.mark.parametrize("body", [b"not packed at all", b'{"error": "plain after all"}', b"\x00\xff" * 20])
def test_body_that_is_not_what_its_header_says_is_kept_as_it_came(coding: bytes, body: bytes) -> None:
    assert capture(body, b"", coding, _MAX) == Captured(body, len(body))


@pytest.mark.parametrize("coding", [b"identity", b"compress", b"gzip, br", b""])
def test_body_of_another_coding_is_kept_as_it_came(coding: bytes) -> None:
    packed = gzip.compress(_TEXT)
    assert capture(packed, b"", coding, _MAX) == Captured(packed, len(packed))


def test_deflate_without_its_usual_wrapping_is_kept_as_it_came() -> None:
    packed = _raw_deflate(_TEXT)
    assert capture(packed, b"", b"deflate", _MAX) == Captured(packed, len(packed))


@given(st.lists(st.binary(max_size=30), max_size=10), st.integers(1, 100))
def test_body_in_parts_is_kept_as_if_it_had_come_whole(parts: list[bytes], bytes_max: int) -> None:
    streamed = Capture(bytes_max)
    for part in parts:
        streamed.add(part)
    whole = b"".join(parts)
    assert streamed.size_bytes == len(whole)
    assert streamed.captured(_JSON, b"") == capture(whole, _JSON, b"", bytes_max)


@given(st.sampled_from([each[0] for each in _PACK.values()]), st.binary(min_size=1, max_size=60))
def test_any_bytes_are_kept_in_some_form(coding: bytes, body: bytes) -> None:
    captured = capture(body, b"", coding, 50)
    assert captured is not None
    assert len(captured.content) <= 50
