"""How the rows of `smuggled_requests` are written.

The hidden request, wherever it stands, asks for `/hidden`: a service that sees it as a request was lied to.
"""

from dataclasses import dataclass

HIDDEN = b"GET /checkout/staging/hidden HTTP/1.1\r\nHost: proxy\r\n\r\n"
ROOT = b"/checkout/staging"


@dataclass(frozen=True, slots=True)
class Row:
    """Bytes of one request, and its fate.

    ``forwarded`` is the (method, target, body) that may reach the upstream, or ``None`` when the request must be
    refused. ``in_body``: what is wrong comes after a good head, which may be on its way already. ``last``: the
    connection must not outlive it. ``may_refuse``: to be refused is fine too. ``may_end``: so is it for what follows.
    ``unaddressed``: it is a request like any other, but names no environment, and the connection goes on.
    """

    name: str
    data: bytes
    forwarded: tuple[str, str, bytes] | None = None
    in_body: bool = False
    last: bool = False
    may_refuse: bool = False
    may_end: bool = False
    unaddressed: bool = False

    @property
    def method(self) -> str:
        return self.data.split(b" ")[0].decode("latin-1")


def post(head: bytes, body: bytes = b"", *, version: bytes = b"HTTP/1.1", host: bytes = b"Host: proxy\r\n") -> bytes:
    return b"POST " + ROOT + b"/pay " + version + b"\r\n" + host + head + b"\r\n" + body


def bad(name: str, head: bytes, body: bytes = b"") -> Row:
    """A head that must be refused."""
    return Row(name, post(head, body))


def good(name: str, head: bytes, sent: bytes, body: bytes, *, may_refuse: bool = False, last: bool = False) -> Row:
    """A request that may be forwarded; when it may also be refused, its head may be on its way by then."""
    return Row(name, post(head, sent), ("POST", "/pay", body), may_refuse=may_refuse, in_body=may_refuse, last=last)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"
HIDDEN_CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)


def length(value: bytes) -> bytes:
    """A header line with this length, however odd."""
    return b"Content-Length: " + value + b"\r\n"
