"""What a path of the protocol asks for."""

from functools import lru_cache
from typing import Final, NamedTuple

from understudy_gateway.transcoding.routes import BadEncoding, decode

PREFIX: Final = b"/ofrep/v1/"
_FLAGS: Final = PREFIX + b"evaluate/flags"
_ONE_FLAG: Final = _FLAGS + b"/"


class Asked(NamedTuple):
    """One flag by its key, or all of them: then the key is None."""

    key: str | None


ALL: Final = Asked(None)
_MEMO_PATHS_MAX, _MEMO_BYTES_MAX = 1024, 256


def find(raw_path: bytes) -> Asked | None:
    """Tell what is asked for; None when it is nothing of the protocol. Raises ``BadEncoding``.

    A key is percent-decoded once. Providers put it into the path as it is, so that slashes in it are its own.
    """
    return _remembered(raw_path) if len(raw_path) <= _MEMO_BYTES_MAX else _find(raw_path)


def _find(raw_path: bytes) -> Asked | None:
    if raw_path == _FLAGS:
        return ALL
    if not raw_path.startswith(_ONE_FLAG) or raw_path == _ONE_FLAG:
        return None
    try:
        return Asked(decode(raw_path[len(_ONE_FLAG) :].decode()))
    except UnicodeDecodeError as error:
        raise BadEncoding from error


# Clients ask for the same few flags again and again.
_remembered = lru_cache(_MEMO_PATHS_MAX)(_find)
