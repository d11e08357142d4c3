"""What never reaches the journal. Only the stored copy is masked, never the traffic."""

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from understudy_server.core.exchange import RawHeaders
from understudy_server.core.json_masking import JsonMask

MARKER = b"[redacted]"

SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key"})
"""The names of the headers that hold credentials, in lower case."""

URL_HEADERS = frozenset({b"referer", b"location", b"content-location"})
"""The names of the headers that hold a URL, in lower case: a secret of a query goes on in them."""

# Most names are told apart by their length, without making a copy in lower case.
_SECRET_LENGTHS = frozenset(map(len, SECRET_HEADERS))


def redact(headers: RawHeaders) -> RawHeaders:
    """Return the headers in order, with the values of credentials replaced by a fixed marker.

    Without credentials it is the same object that came in. Names count in any case.
    """
    for name, _ in headers:
        if len(name) in _SECRET_LENGTHS and name.lower() in SECRET_HEADERS:
            return tuple([(each, MARKER if each.lower() in SECRET_HEADERS else value) for each, value in headers])
    return headers


@dataclass(frozen=True, slots=True)
class Redaction:
    """What an environment has masked, beside credentials.

    ``header_names`` are in lower case, ``query_names`` decoded. ``bodies`` masks JSON bodies; ``None``: none of them.
    ``keeps_credentials``: the headers that hold credentials are left as they are.
    """

    header_names: frozenset[bytes] = frozenset()
    query_names: frozenset[str] = frozenset()
    bodies: JsonMask | None = None
    keeps_credentials: bool = False
    _touched: frozenset[bytes] = field(init=False, repr=False, compare=False)
    """The names of all headers that may not be kept as they are."""

    def __post_init__(self) -> None:
        urls = URL_HEADERS if self.query_names else frozenset()
        secret: frozenset[bytes] = frozenset() if self.keeps_credentials else SECRET_HEADERS
        object.__setattr__(self, "_touched", secret | self.header_names | urls)

    def headers(self, headers: RawHeaders) -> RawHeaders:
        """Return the headers in order, with the values of credentials and of what the environment names masked.

        In a header that holds a URL the parameters are masked that would be in a query.
        """
        touched = self._touched
        if not touched:
            return headers
        # Most headers stay as they are, and then as the same objects.
        return tuple([header if header[0].lower() not in touched else self._header(*header) for header in headers])

    def _header(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        lower = name.lower()
        if lower in SECRET_HEADERS or lower in self.header_names:
            return name, MARKER
        return name, self.url(value.decode("latin-1")).encode("latin-1")

    def query(self, query: str) -> str:
        """Return a raw query (Latin-1, as sent) with the values of the named parameters masked, all else as it was."""
        if not self.query_names or not query:
            return query
        return "&".join(map(self._parameter, query.split("&")))

    def _parameter(self, part: str) -> str:
        name, mark, _ = part.partition("=")
        return f"{name}={MARKER.decode()}" if mark and _decoded(name) in self.query_names else part

    def url(self, url: str) -> str:
        """Return a URL with the parameters of its query masked, and those of its fragment, where tokens come back."""
        rest, hash_mark, fragment = url.partition("#")
        path, question_mark, query = rest.partition("?")
        return "".join([path, question_mark, self.query(query), hash_mark, self.query(fragment)])


def _decoded(name: str) -> str:
    """The name of a parameter as a form has it: `+` is a space, and bytes are UTF-8 whether they are encoded or not."""
    return unquote_to_bytes(name.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")
