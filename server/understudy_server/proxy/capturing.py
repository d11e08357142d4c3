"""The journal's copy of a body: cut to a limit, and readable where its content coding is a usual one."""

import io
import zlib
from collections.abc import Callable, Mapping

import brotli
import zstandard

from understudy_server.core.exchange import Captured, RawHeaders
from understudy_server.core.headers import first, text_of

_Inflate = Callable[[bytes, int], bytes]
_INFLATED_AT_A_TIME = 64 * 1024


class Capture:
    """Keeps the beginning of a body that streams by. The rest is only counted."""

    __slots__ = ("_bytes_max", "_kept", "_pieces", "size_bytes")

    def __init__(self, bytes_max: int, data: bytes = b"") -> None:
        self._bytes_max = bytes_max
        self._pieces: list[bytes] = []
        self._kept = 0
        self.size_bytes = 0
        if data:
            self.add(data)

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size_bytes += len(data)
        missing = self._bytes_max - self._kept
        if missing > 0:
            piece = data[:missing]
            self._pieces.append(piece)
            self._kept += len(piece)

    def captured(self, content_type: bytes, coding: bytes) -> Captured | None:
        """What was kept, with the content type and content coding from its head; ``None`` if there was nothing."""
        if not self.size_bytes:
            return None
        return _describe(b"".join(self._pieces), self.size_bytes, content_type, coding, self._bytes_max)


def capture(body: bytes, content_type: bytes, coding: bytes, bytes_max: int) -> Captured | None:
    """Keep at most ``bytes_max`` of a whole body; ``None`` for an empty one."""
    return _describe(body[:bytes_max], len(body), content_type, coding, bytes_max) if body else None


def content_of(headers: RawHeaders) -> tuple[bytes, bytes]:
    """The content type and the content coding that a head tells of, each empty when it does not."""
    return first(headers, b"content-type") or b"", first(headers, b"content-encoding") or b""


def _describe(kept: bytes, size_bytes: int, content_type: bytes, coding: bytes, bytes_max: int) -> Captured:
    """Describe the beginning of a body, decompressed if it was compressed.

    The size of a decompressed body is exact when it was kept whole, and else only known to exceed what was kept:
    inflating stops at the limit, whatever the body claims to hold.
    """
    inflate = _INFLATE.get(coding.lower()) if coding else None
    if inflate is not None:
        try:
            inflated = inflate(kept, bytes_max + 1)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            # Not what its header says: it is kept as it came.
            pass
        else:
            whole = len(kept) == size_bytes
            known = len(inflated) if whole else max(len(inflated) + 1, size_bytes)
            return Captured(inflated[:bytes_max], known, text_of(content_type))
    return Captured(kept, size_bytes, text_of(content_type))


def _inflate_zlib(data: bytes, bytes_max: int) -> bytes:
    # Window bits of 15, with 32 added to recognise the headers of gzip and zlib by themselves.
    return zlib.decompressobj(47).decompress(data, bytes_max)


def _inflate_brotli(data: bytes, bytes_max: int) -> bytes:
    decompressor, pieces, size = brotli.Decompressor(), [], 0
    piece = decompressor.process(data, output_buffer_limit=_INFLATED_AT_A_TIME)
    while piece and size < bytes_max:
        pieces.append(piece)
        size += len(piece)
        piece = decompressor.process(b"", output_buffer_limit=_INFLATED_AT_A_TIME)
    return b"".join(pieces)[:bytes_max]


def _inflate_zstd(data: bytes, bytes_max: int) -> bytes:
    # The window is memory that the sender chooses: 8 MiB is what HTTP allows. Source: RFC 9659.
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    with decompressor.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        return reader.read(bytes_max)


_INFLATE: Mapping[bytes, _Inflate] = {
    b"gzip": _inflate_zlib,
    b"x-gzip": _inflate_zlib,
    b"deflate": _inflate_zlib,
    b"br": _inflate_brotli,
    b"zstd": _inflate_zstd,
}
