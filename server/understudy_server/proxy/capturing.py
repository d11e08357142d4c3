"""The journal's copy of a body: cut to a limit, readable where its coding is a usual one, and where it is JSON masked.

A body that should be masked and cannot be read is kept as its length and its hash alone: whoever has the original can
tell that it was this one, and nobody else learns anything. It cannot be read if it is malformed, if only its beginning
is kept, if it was not unpacked, or if masking it would take too long.
"""

import hashlib
import io
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import brotli
import zstandard

from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured
from understudy_server.core.headers import Content, text_of
from understudy_server.core.json_masking import JsonMask
from understudy_server.proxy.held_bodies import HeldBodies

_Inflate = Callable[[bytes, int], bytes]
_INFLATED_AT_A_TIME = 64 * 1024


class Keeping(NamedTuple):
    """How a body is kept: so many bytes of it at most, and as JSON with values masked."""

    bytes_max: int
    mask: JsonMask | None = None


class Capture:
    """Keeps the beginning of a body that streams by. The rest is only counted, and hashed where that may be asked.

    With a ``room`` that others share, what there is no room for is not kept either: then it ``lacks_room``. What it has
    of that is given back when it is let go of, or described.
    """

    __slots__ = ("_bytes_max", "_content", "_hash", "_keeping", "_kept", "_pieces", "_room", "lacks_room", "size_bytes")

    def __init__(self, content: Content, keeping: Keeping, data: bytes = b"", room: HeldBodies | None = None) -> None:
        self._content = content
        self._keeping = keeping
        self._bytes_max = keeping.bytes_max
        self._hash = hashlib.sha256() if _mask_for(content, keeping) else None
        """Of what came, once that is more than is kept; ``None`` when nobody may ask for it."""
        self._pieces: list[bytes] = []
        self._kept = 0
        self._room = room
        self.lacks_room = False
        self.size_bytes = 0
        if data:
            self.add(data)

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size_bytes += len(data)
        missing = self._bytes_max - self._kept
        if missing > 0 and self._room is not None and not self._room.take_for_record(min(len(data), missing)):
            self._bytes_max, missing, self.lacks_room = self._kept, 0, True
        if missing > 0:
            piece = data[:missing]
            self._pieces.append(piece)
            self._kept += len(piece)
        if self._hash is not None and self.size_bytes > self._bytes_max:
            # The copy is not whole any more, so it cannot be masked, and the hash takes its place.
            for piece in self._pieces:
                self._hash.update(piece)
            self._pieces.clear()
            self._hash.update(data[missing:] if missing > 0 else data)

    def let_go(self) -> None:
        """Give back the room that is taken. Nothing more comes."""
        if self._room is not None:
            self._room.give_back(self._kept)
            self._room = None

    def captured(self) -> Captured | None:
        """What was kept; ``None`` if there was nothing."""
        self.let_go()
        if not self.size_bytes:
            return None
        if self._hash is not None and self.size_bytes > self._bytes_max:
            return Captured(b"", self.size_bytes, text_of(self._content[0]), self._hash.hexdigest())
        return _describe(b"".join(self._pieces), self.size_bytes, self._content, self._keeping)


def capture(body: bytes, content: Content, keeping: Keeping) -> Captured | None:
    """Keep what may be kept of a whole body; ``None`` for an empty one."""
    if not body:
        return None
    if len(body) > keeping.bytes_max and _mask_for(content, keeping):
        return _withheld(body, content)
    return _describe(body[: keeping.bytes_max], len(body), content, keeping)


def is_json(content_type: bytes) -> bool:
    """True for the media types of JSON (WHATWG MIME Sniffing, "JSON MIME type")."""
    essence = content_type.partition(b";")[0].strip(b" \t").lower()
    return essence in (b"application/json", b"text/json") or essence.endswith(b"+json")


def _mask_for(content: Content, keeping: Keeping) -> JsonMask | None:
    """What masks such a body. Where nothing is kept there is nothing to mask."""
    return keeping.mask if keeping.mask is not None and keeping.bytes_max > 0 and is_json(content[0]) else None


def _describe(kept: bytes, size_bytes: int, content: Content, keeping: Keeping) -> Captured:
    """Describe the beginning of a body, decompressed if it was compressed.

    The size of a decompressed body is exact when it was kept whole, and else only known to exceed what was kept:
    inflating stops at the limit, whatever the body claims to hold.
    """
    content_type, coding = content
    if not coding and keeping.mask is None:
        return Captured(kept, size_bytes, _type_of(content_type))
    plain, known, bytes_max = kept, size_bytes, keeping.bytes_max
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
            plain = inflated[:bytes_max]
    mask = _mask_for(content, keeping)
    if mask is None:
        return Captured(plain, known, text_of(content_type))
    masked = mask.apply(plain) if known == len(plain) else None
    if masked is None:
        return _withheld(kept, content)
    if masked is plain:
        return Captured(plain, known, text_of(content_type))
    redacted = MASKED if len(masked) <= bytes_max else MASKED_AND_CUT
    return Captured(masked[:bytes_max], known, text_of(content_type), redacted)


@lru_cache(maxsize=256)
def _type_of(content_type: bytes) -> str:
    """A content type as text: there are few."""
    return text_of(content_type)


def _withheld(body: bytes, content: Content) -> Captured:
    return Captured(b"", len(body), text_of(content[0]), hashlib.sha256(body).hexdigest())


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
