"""Where a user stands in a flag's rollout, and among its variants: by a hash, the same everywhere and for ever."""

import hashlib
import struct
from typing import Final

BUCKETS: Final = 100

# Its first four bytes, as a whole number.
_FIRST: Final = struct.Struct(">I")


def bucket_of(user_id: str, flag_key: str) -> int:
    """From 0 to 99. A user is in a rollout when this is below its percentage, so a higher one loses nobody.

    The hash is that of FlagBridge: its users keep their places.
    """
    return _hash(f"{user_id}:{flag_key}") % BUCKETS


def point_of(user_id: str, flag_key: str) -> float:
    """From 0 to below 1, for the choice among variants. It says nothing of the bucket, nor the bucket of it."""
    return _hash(f"{user_id}:{flag_key}:variant") / (1 << 8 * _FIRST.size)


def is_in_rollout(user_id: str, flag_key: str, percentage: int) -> bool:
    """Tell whether a user is in a rollout. Without a user only a whole one is for everybody."""
    if percentage >= BUCKETS:
        return True
    return percentage > 0 and user_id != "" and bucket_of(user_id, flag_key) < percentage


def _hash(text: str) -> int:
    # A text of JSON may hold half of a pair, which UTF-8 cannot spell.
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return _FIRST.unpack_from(digest)[0]  # type: ignore[no-any-return]
