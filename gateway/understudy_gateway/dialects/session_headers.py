"""Which headers of an evaluation name its session, the same over every door that evaluates flags.

The session's key and token and the baggage have fields of their own. Any other header may be where an environment keeps
its session key, as over the proxy; so all go along, with every line of a name that is sent more than once.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from understudy_gateway.transcoding.header_text import text_of
from understudy_gateway.transcoding.responses import Headers

SESSION: Final = b"x-flowmock-session"
TOKEN: Final = b"x-flagbridge-session"
BAGGAGE: Final = b"baggage"
LINES_MAX: Final = 100
BYTES_MAX: Final = 65_536
"""How many other headers go along at most, and how many bytes they are together. The server takes no more."""

_NAME_BYTES_MAX: Final = 256
_FIELDS: Final = frozenset((SESSION, TOKEN, BAGGAGE))
# What a client's library says of the request itself, which is another one than the app was asked with.
_OF_THE_REQUEST: Final = frozenset(
    (
        *(b"host", b"connection", b"keep-alive", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"expect"),
        *(b"accept", b"accept-encoding", b"content-type", b"content-length", b"http2-settings"),
        *(b"cache-control", b"pragma", b"priority"),
        # Browsers add these to every request, and no page can set them.
        *(b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-user"),
        *(b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform"),
    )
)


class SessionHeaders(NamedTuple):
    """``named``: the first value of each header that has a field, or that the door wants; ``others`` may be carriers.

    Of the baggage ``named`` has all lines, as one list.
    """

    named: dict[bytes, bytes]
    others: list[tuple[bytes, bytes]]

    def fill(self, request: Any) -> None:
        """Put into a request of EvaluationService what may name its session."""
        named, others = self
        if SESSION in named:
            request.session_key = text_of(named[SESSION]).strip()
        if TOKEN in named:
            request.session_token = text_of(named[TOKEN]).strip()
        if BAGGAGE in named:
            request.baggage = text_of(named[BAGGAGE])
        left = BYTES_MAX
        for name, value in others[:LINES_MAX]:
            left -= len(name) + len(value)
            if left < 0:
                break
            if len(name) <= _NAME_BYTES_MAX:
                request.headers.add(name=name.decode("latin-1"), value=text_of(value))


class Wanted:
    """What a door wants of the headers beside what names a session. Made once.

    ``own`` are its own headers, which nobody's session key is in; ``also`` it looks at, and they may be carriers.
    """

    def __init__(self, own: Collection[bytes] = (), also: Collection[bytes] = ()) -> None:
        self._named = frozenset((*_FIELDS, *own, *also))
        self._no_carriers = _OF_THE_REQUEST.union(_FIELDS, own).difference(also)

    def read(self, lines: Headers) -> SessionHeaders:
        """Read the headers of a request, in one go."""
        wanted, no_carriers = self._named, self._no_carriers
        named: dict[bytes, bytes] = {}
        others = []
        for line in lines:
            name, value = line
            if name in wanted:
                if name not in named:
                    named[name] = value
                elif name == BAGGAGE:
                    named[name] += b"," + value
            if name not in no_carriers:
                others.append(line)
        return SessionHeaders(named, others)
