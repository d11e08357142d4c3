"""Content codings: what they mean for the journal's copy of a body."""

from typing import Final

UNPACKED: Final = frozenset({b"gzip", b"x-gzip", b"deflate", b"br", b"zstd"})
"""Under these a body is kept unpacked, if it can be; under any other as it was sent."""

OF_PACKED_BYTES: Final = frozenset({"content-encoding", "content-digest", "content-md5", "digest", "repr-digest"})
"""The headers, in lower case, that are about the bytes that were sent: not true of a body that is kept unpacked."""
