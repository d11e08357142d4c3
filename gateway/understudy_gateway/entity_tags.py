"""Entity tags: what a client has is told apart from what there is by what it is made of."""

import hashlib
from typing import Final

IF_NONE_MATCH: Final = b"if-none-match"
_DIGEST_BYTES: Final = 16


def tag_of(body: bytes) -> bytes:
    """The tag of a body, quoted."""
    return b'"%b"' % hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest().encode()


def names(if_none_match: bytes, tag: bytes) -> bool:
    """True when a tag is among those of ``If-None-Match``, weak or not. A star names none: nobody has it."""
    return any(each.strip().removeprefix(b"W/") == tag for each in if_none_match.split(b","))
