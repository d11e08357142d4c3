"""What the headers of a request mean to the proxy itself, by their names in any case."""

from typing import Final

from understudy_server.core.redaction import SECRET_HEADERS
from understudy_server.proxy.spellings import NOTHING, Spellings

HOST, LENGTH, CODING, EXPECT, UPGRADE, ORIGIN, SESSION, SECRET, CONNECTION, OLD_CONNECTION = range(1, 11)
_MEANINGS: Final = {
    b"host": HOST,
    b"content-length": LENGTH,
    b"transfer-encoding": CODING,
    b"expect": EXPECT,
    b"upgrade": UPGRADE,
    b"origin": ORIGIN,
    b"connection": CONNECTION,
    # It is no header of HTTP, but the strict parser goes by it as by the one before.
    b"proxy-connection": OLD_CONNECTION,
    **dict.fromkeys(SECRET_HEADERS, SECRET),
}

FREE: Final = frozenset({NOTHING, SECRET})
"""The meanings of headers whose values the proxy does not go by."""


class HeaderMeanings(Spellings):
    """What the headers of a request mean, the session header of these settings among them."""

    def __init__(self, session_header: str) -> None:
        super().__init__({**_MEANINGS, session_header.lower().encode(): SESSION})


# Trailers mean nothing: they must not change what the head has said.
NO_MEANINGS: Final = Spellings({})
