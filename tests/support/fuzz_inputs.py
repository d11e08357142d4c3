"""Inputs for the fuzzers: grown from a grammar and a kept corpus, then damaged. One ``Random`` decides everything."""

import random
from collections.abc import Sequence
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "data" / "fuzz"

INPUT_BYTES_MAX = 4096
_GROWN_MAX = 2000

_ROOT = b"/checkout/staging"
_METHODS = [
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"PRI",
    b"get",
    b"M-SEARCH",
    b"GE T",
]
_TARGETS = [
    *[
        _ROOT + path
        for path in (b"/quick", b"/quick?a=1", b"/slow", b"/other", b"/body", b"", b"/", b"//x?", b"/%2f..")
    ],
    b"*",
    b"/",
    b"",
    b"http://a" + _ROOT + b"/quick",
    b"http://a",
    b"a:80",
    b"/x#y",
    b"/\xff",
    b"http://",
    b"/nobody/knows/this",
    b"/checkout/tunnel/x",
    b"/checkout/strict/x?k=v",
    b"http://host.test/x",
    b"/x",
]
_VERSIONS = [b"HTTP/1.1"] * 12 + [
    b"HTTP/1.0",
    b"HTTP/1.0",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/1.2",
    b"http/1.1",
    b"RTSP/1.0",
    b"",
]
_LINES = [
    b"Host: proxy",
    b"Host: b",
    b"Host: host.test",
    b"Host:",
    b"x-flowmock-session: ci-42",
    b"x-flowmock-session: ci-42",
    b"x-flowmock-session: other",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Upgrade",
    b"Connection: Content-Length, Host",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Expect: x",
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: 300",
    b"Content-Length: +5",
    b"Content-Length: 5, 5",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 18446744073709551615",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding : chunked",
    b"TE: trailers",
    b"Trailer: x",
    b"Cookie: a=b; k=d",
    b"Origin: http://a",
    b"Access-Control-Request-Method: PUT",
    b"Authorization: Bearer a.b.c",
    b"baggage: k=v",
    b"Accept: */*",
    b"k: v",
    b"X: \x00",
    b"X: \xff",
    b"X:",
    b" folded",
    b"\tfolded",
    b": y",
    b"no colon",
    b"X: " + b"y" * 300,
    b"Content-Type: application/json",
    b"Content-Encoding: gzip",
]
_CHUNK_LINES = [
    b"5\r\nhello\r\n",
    b"5;x=y\r\nhello\r\n",
    b"1\r\n{\r\n",
    b"0005\r\nhello\r\n",
    b"0x5\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"5\nhello\n",
    b"ffffffffffffffff\r\n",
    b"10000000000000000\r\n",
    b"5\r\nhello",
    b"\r\n",
    b" 5\r\nhello\r\n",
    b"A\r\n0123456789\r\n",
]
_ENDS = [b"0\r\n\r\n"] * 5 + [
    b"0\r\nX: y\r\n\r\n",
    b"0\r\nHost: evil\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\n\n",
    b"00;x\r\n\r\n",
    b"0\r\n",
    b"",
]
_BODIES = [
    b"hello",
    b'{"a":1}',
    b"",
    b"x" * 300,
    b"GET /checkout/staging/hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    b"0\r\n\r\n",
    b"\x00\xff",
]

_STATUSES = [b"200 OK"] * 8 + [
    b"204 No Content",
    b"304 Not Modified",
    b"100 Continue",
    b"103 Early Hints",
    b"101 Switching Protocols",
    b"302 Found",
    b"500 No",
    b"99 Low",
    b"099 Low",
    b"1000 High",
    b"2xx",
    b"200",
    b"200 " + b"x" * 300,
    b"404 \xff",
]
_ANSWER_VERSIONS = [b"HTTP/1.1"] * 10 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"ICY", b"RTSP/1.0", b""]
_ANSWER_LINES = [
    *_LINES,
    b"Set-Cookie: a=b; Domain=x",
    b"Set-Cookie: c",
    b"Location: /x",
    b"Date: now",
    b"ETag: x",
    b"Connection: Upgrade, X",
    b"Keep-Alive: timeout=5",
]

_MORSELS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"\x7f",
    b"\xff",
    b"\r\n\r\n",
    b"\r\n ",
    b"HTTP/1.1",
    b"/",
    b"?",
    b"#",
    b"=",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: b\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: x\r\n",
    b"x-flowmock-session: ci-42\r\n",
    b"0\r\n\r\n",
    b"ffffffff",
    b"-1",
    b"18446744073709551616",
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01",
]


class Inputs:
    """Makes inputs for one side: requests, or answers of an upstream. `keep` adds one that showed something new."""

    def __init__(self, dice: random.Random, *, answers: bool = False) -> None:
        self._dice = dice
        self._answers = answers
        kept = "answer-*.bin" if answers else "request-*.bin"
        self.kept: list[bytes] = [path.read_bytes() for path in sorted(CORPUS.glob(kept))]

    def keep(self, data: bytes) -> None:
        """Grow others from this one too."""
        if len(self.kept) < _GROWN_MAX:
            self.kept.append(data)

    def stream(self) -> bytes:
        """The next input."""
        dice = self._dice
        data = dice.choice(self.kept) if self.kept and dice.random() < 0.6 else self._grown()
        draw = dice.random()
        if draw < 0.15:
            data += dice.choice(self.kept) if self.kept else self._grown()
        elif draw < 0.3:
            data += self._grown()
        if dice.random() < 0.85:
            data = self._damaged(data)
        return data[:INPUT_BYTES_MAX]

    def pieces(self, data: bytes) -> Sequence[bytes]:
        """Cut an input as a network might."""
        draw = self._dice.random()
        if draw < 0.4 or len(data) < 2:
            return (data,)
        if draw < 0.42 and len(data) < 400:
            return [data[at : at + 1] for at in range(len(data))]
        cuts = sorted({int(self._dice.random() * (len(data) - 1)) + 1 for _ in range(1 + int(self._dice.random() * 4))})
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    def _grown(self) -> bytes:
        return self._answer() if self._answers else self._request()

    def _request(self) -> bytes:
        choice = self._dice.choice
        line = b"%b %b %b" % (choice(_METHODS[:6]), choice(_TARGETS), choice(_VERSIONS))
        if self._dice.random() < 0.1:
            line = b"%b %b %b" % (choice(_METHODS), choice(_TARGETS), choice(_VERSIONS))
        return self._message(line, [b"Host: proxy"] if self._dice.random() < 0.9 else [], _LINES)

    def _answer(self) -> bytes:
        choice = self._dice.choice
        return self._message(b"%b %b" % (choice(_ANSWER_VERSIONS), choice(_STATUSES)), [], _ANSWER_LINES)

    def _message(self, line: bytes, lines: list[bytes], more: list[bytes]) -> bytes:
        dice = self._dice
        lines = [line, *lines, *[dice.choice(more) for _ in range(int(dice.random() * 5))]]
        draw = dice.random()
        if draw < 0.25:
            body = dice.choice(_BODIES)
            lines.append(b"Content-Length: %d" % len(body))
        elif draw < 0.5:
            body = b"".join([dice.choice(_CHUNK_LINES) for _ in range(int(dice.random() * 4))]) + dice.choice(_ENDS)
            lines.append(b"Transfer-Encoding: chunked")
        elif draw < 0.6:
            body = dice.choice(_BODIES)
        else:
            body = b""
        return b"\r\n".join([*lines, b"", body])

    def _damaged(self, data: bytes) -> bytes:
        dice = self._dice
        for _ in range(1 + int(dice.random() * dice.random() * 6)):
            at, kind = int(dice.random() * (len(data) + 1)), int(dice.random() * 7)
            end = at + 1 + int(dice.random() * dice.random() * 40)
            if kind == 0:
                data = data[:at] + bytes((int(dice.random() * 256),)) + data[at + 1 :]
            elif kind == 1:
                data = data[:at] + dice.choice(_MORSELS) + data[at:]
            elif kind == 2:
                data = data[:at] + data[end:]
            elif kind == 3:
                data = data[:at] + data[at:end] + data[at:]
            elif kind == 4:
                data = data[:at] + dice.choice(_MORSELS) + data[end:]
            elif kind == 5 and self.kept:
                other = dice.choice(self.kept)
                data = data[:at] + other[int(dice.random() * len(other)) :]
            elif at < len(data):
                data = data[:at] + bytes((data[at] ^ (1 << int(dice.random() * 8)),)) + data[at + 1 :]
        return data
