"""Requests with a body that two readers could take for bodies of different length."""

from support.smuggled_row import CHUNKED, HIDDEN, HIDDEN_CHUNK, LAST_CHUNK, Row, bad, good, length, post


def _bad_body(name: str, body: bytes) -> Row:
    """A chunked body that must be refused."""
    return Row(name, post(b"Transfer-Encoding: chunked\r\n", body), in_body=True)


_TWO_FRAMINGS = [
    bad("length then coding", length(b"%d" % (len(LAST_CHUNK) + len(HIDDEN))) + CHUNKED, LAST_CHUNK + HIDDEN),
    bad("coding then length", CHUNKED + length(b"%d" % (len(LAST_CHUNK) + len(HIDDEN))), LAST_CHUNK + HIDDEN),
    bad("short length beside coding", length(b"4") + CHUNKED, HIDDEN_CHUNK),
    bad("length zero beside coding", length(b"0") + CHUNKED, HIDDEN_CHUNK),
    bad("length beside an unknown coding", length(b"5") + b"Transfer-Encoding: xchunked\r\n", b"hello"),
    bad("length beside an empty coding", length(b"5") + b"Transfer-Encoding:\r\n", b"hello"),
    bad("length beside coding in other case", length(b"5") + b"tRANSFER-eNCODING: Chunked\r\n", LAST_CHUNK),
    bad("length beside coding, between other headers", length(b"5") + b"X: y\r\n" + CHUNKED + b"Z: y\r\n", LAST_CHUNK),
    bad("two codings in two lines", CHUNKED + CHUNKED, HIDDEN_CHUNK),
    bad("chunked then identity in two lines", CHUNKED + b"Transfer-Encoding: identity\r\n", HIDDEN_CHUNK),
    bad("identity then chunked in two lines", b"Transfer-Encoding: identity\r\n" + CHUNKED, HIDDEN_CHUNK),
    bad("chunked then nonsense in two lines", CHUNKED + b"Transfer-encoding: cow\r\n", HIDDEN_CHUNK),
    bad("chunked then an empty coding", CHUNKED + b"Transfer-Encoding:\r\n", HIDDEN_CHUNK),
    bad("an empty coding then chunked", b"Transfer-Encoding:\r\n" + CHUNKED, HIDDEN_CHUNK),
    bad("two lengths that differ", length(b"0") + length(b"%d" % len(HIDDEN)), HIDDEN),
    bad("two lengths that agree", length(b"5") + length(b"5"), b"hello"),
    bad("two lengths in other case", length(b"5") + b"content-length: 6\r\n", b"hello!"),
]

_CODINGS = {
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunkedx": b"Transfer-Encoding: chunkedx\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "gzip": b"Transfer-Encoding: gzip\r\n",
    "nothing": b"Transfer-Encoding:\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
    "identity, chunked": b"Transfer-Encoding: identity, chunked\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunked, gzip": b"Transfer-Encoding: chunked, gzip\r\n",
    "chunked, chunked": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunked and a comma": b"Transfer-Encoding: chunked,\r\n",
    "a comma and chunked": b"Transfer-Encoding: ,chunked\r\n",
    "chunked with a parameter": b"Transfer-Encoding: chunked;q=1\r\n",
    "quoted": b'Transfer-Encoding: "chunked"\r\n',
    "single quotes": b"Transfer-Encoding: 'chunked'\r\n",
    "two words": b"Transfer-Encoding: chunked chunked\r\n",
    "a vertical tab before": b"Transfer-Encoding: \x0bchunked\r\n",
    "a vertical tab after": b"Transfer-Encoding: chunked\x0b\r\n",
    "a form feed before": b"Transfer-Encoding: \x0cchunked\r\n",
    "a NUL before": b"Transfer-Encoding: \x00chunked\r\n",
    "a NUL after": b"Transfer-Encoding: chunked\x00\r\n",
    "a byte beyond ascii": b"Transfer-Encoding: \xa0chunked\r\n",
    "a long s": b"Transfer-Encoding: chunked\xc5\xbf\r\n",
    "a bare CR before": b"Transfer-Encoding: \rchunked\r\n",
    "a bare CR after": b"Transfer-Encoding: chunked\r\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n",
    "a tab before the colon": b"Transfer-Encoding\t: chunked\r\n",
    "a space before the name": b" Transfer-Encoding: chunked\r\n",
    "a vertical tab in the name": b"Transfer-Encoding\x0b: chunked\r\n",
    "a NUL in the name": b"Transfer-Encoding\x00: chunked\r\n",
    "a folded line": b"Transfer-Encoding:\r\n chunked\r\n",
    "a line folded by a tab": b"Transfer-Encoding:\r\n\tchunked\r\n",
    "hidden in a folded line": b"X: y\r\n Transfer-Encoding: chunked\r\n",
    "after a bare LF": b"X: y\nTransfer-Encoding: chunked\r\n",
    "after a bare CR": b"X: y\rTransfer-Encoding: chunked\r\n",
    "after CR CR LF": b"X: y\r\r\nTransfer-Encoding: chunked\r\n",
    "after a NUL": b"X: y\x00\r\nTransfer-Encoding: chunked\r\n",
    "a line without a colon": b"Transfer-Encoding chunked\r\n",
    "no name": b": chunked\r\nTransfer-Encoding: xchunked\r\n",
}

_OBFUSCATED = [
    *[bad(f"coding: {name}", line, HIDDEN_CHUNK) for name, line in _CODINGS.items()],
    good("coding in other case", b"TRANSFER-encoding: ChUnKeD\r\n", b"2\r\nhi\r\n" + LAST_CHUNK, b"hi"),
    good("coding without a space", b"Transfer-Encoding:chunked\r\n", b"2\r\nhi\r\n" + LAST_CHUNK, b"hi"),
    # Optional white space is spaces and tabs (RFC 9110, section 5.6.3).
    good("coding after a tab", b"Transfer-Encoding:\tchunked\r\n", b"2\r\nhi\r\n" + LAST_CHUNK, b"hi", may_refuse=True),
    good(
        "coding before a tab", b"Transfer-Encoding: chunked\t\r\n", b"2\r\nhi\r\n" + LAST_CHUNK, b"hi", may_refuse=True
    ),
    good(
        "coding before a space", b"Transfer-Encoding: chunked \r\n", b"2\r\nhi\r\n" + LAST_CHUNK, b"hi", may_refuse=True
    ),
    # Another name is another header, and frames nothing.
    good("a name that looks like the coding", b"Transfer_Encoding: chunked\r\n" + length(b"2"), b"hi", b"hi"),
    good("a name that looks like the length", b"Content_Length: 50\r\n" + length(b"2"), b"hi", b"hi"),
]

_LENGTHS = {
    "plus": b"+5",
    "minus": b"-5",
    "minus zero": b"-0",
    "a space inside": b"5 0",
    "two in a list": b"5, 5",
    "a comma behind": b"5,",
    "a comma before": b",5",
    "hexadecimal": b"0x5",
    "hexadecimal digits": b"a",
    "a point": b"5.0",
    "an exponent": b"5e0",
    "an underscore": b"1_0",
    "quoted": b'"5"',
    "nothing": b"",
    "white space only": b" \t ",
    "beyond 64 bits": b"18446744073709551621",
    "far beyond 64 bits": b"9" * 40,
    "digits beyond ascii": b"\xd9\xa5",
    "a NUL behind": b"5\x00",
    "a vertical tab before": b"\x0b5",
    "a bare CR behind": b"5\r",
    "a fold": b"\r\n 5",
}

_LENGTH_ROWS = [
    *[bad(f"length: {name}", length(value), b"hello") for name, value in _LENGTHS.items()],
    bad("length with a space before the colon", b"Content-Length : 5\r\n", b"hello"),
    bad("length after a bare LF", b"X: y\nContent-Length: 5\r\n", b"hello"),
    bad("length after a bare CR", b"X: y\rContent-Length: 5\r\n", b"hello"),
    bad("head that ends with bare LFs", b"Content-Length: 5\n", b"hello"),
    good("length with leading zeros", length(b"0005"), b"hello", b"hello", may_refuse=True),
    good("length between tabs", b"Content-Length:\t5\t\r\n", b"hello", b"hello", may_refuse=True),
    good("length hides a request", length(b"%d" % len(HIDDEN)), HIDDEN, HIDDEN),
    good("no body, none announced", b"", b"", b""),
    good("length zero", length(b"0"), b"", b""),
]

_CHUNKS = {
    "0x before the size": b"0x5\r\nhello\r\n" + LAST_CHUNK,
    "a sign before the size": b"+5\r\nhello\r\n" + LAST_CHUNK,
    "a negative size": b"-5\r\nhello\r\n" + LAST_CHUNK,
    "a negative zero": b"-0\r\n\r\n" + HIDDEN,
    "a space before the size": b" 5\r\nhello\r\n" + LAST_CHUNK,
    "a tab behind the size": b"5\t\r\nhello\r\n" + LAST_CHUNK,
    "an empty size": b"\r\nhello\r\n" + LAST_CHUNK,
    "no size but an extension": b";x=y\r\nhello\r\n" + LAST_CHUNK,
    "a letter beyond hexadecimal": b"g\r\nhello\r\n" + LAST_CHUNK,
    "two sizes": b"5 5\r\nhello\r\n" + LAST_CHUNK,
    "an underscore": b"0_5\r\nhello\r\n" + LAST_CHUNK,
    "size beyond 64 bits": b"10000000000000005\r\nhello\r\n" + LAST_CHUNK,
    "size far beyond 64 bits": b"f" * 40 + b"\r\nhello\r\n" + LAST_CHUNK,
    "size line ended by LF": b"5\nhello\r\n" + LAST_CHUNK,
    "size line ended by CR": b"5\rhello\r\n" + LAST_CHUNK,
    "size line ended by CR CR LF": b"5\r\r\nhello\r\n" + LAST_CHUNK,
    "LF in an extension": b"5;x\nhello\r\n" + LAST_CHUNK,
    "CR in an extension": b"5;x\ry\r\nhello\r\n" + LAST_CHUNK,
    "NUL in an extension": b"5;\x00\r\nhello\r\n" + LAST_CHUNK,
    "chunk longer than its size": b"2\r\nhello\r\n" + LAST_CHUNK,
    "chunk shorter than its size": b"6\r\nhello\r\n" + LAST_CHUNK,
    "no CRLF after the chunk": b"5\r\nhello" + LAST_CHUNK,
    "LF after the chunk": b"5\r\nhello\n" + LAST_CHUNK,
    "CR after the chunk": b"5\r\nhello\r" + LAST_CHUNK,
    "two other bytes after the chunk": b"5\r\nhelloxx" + LAST_CHUNK,
    "last chunk ended by LF": b"5\r\nhello\r\n0\n\n" + HIDDEN,
    "last chunk ended by CR": b"5\r\nhello\r\n0\r\r" + HIDDEN,
    "trailers ended by LF": b"5\r\nhello\r\n0\r\n\n" + HIDDEN,
    "folded trailer": b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
    "trailer with a space before the colon": b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    "trailer with a length": b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n",
    "trailer with a coding": b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def _trailing(trailers: bytes) -> bytes:
    return b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"


# What may be forwarded, or refused: a trailer that names the framing is nonsense, but nothing that anybody acts on.
_LAX_CHUNKS = {"trailer with a length", "trailer with a coding"}

_CHUNK_ROWS = [
    *[_bad_body(f"chunks: {name}", body) for name, body in _CHUNKS.items() if name not in _LAX_CHUNKS],
    *[
        Row(f"chunks: {name}", post(CHUNKED, _CHUNKS[name]), ("POST", "/pay", b"hello"), in_body=True, may_refuse=True)
        for name in sorted(_LAX_CHUNKS)
    ],
    good("chunks: plain", CHUNKED, b"3\r\nhel\r\n2\r\nlo\r\n" + LAST_CHUNK, b"hello"),
    good("chunks: leading zeros", CHUNKED, b"00005\r\nhello\r\n000\r\n\r\n", b"hello", may_refuse=True),
    good(
        "chunks: hexadecimal in both cases",
        CHUNKED,
        b"a\r\n0123456789\r\nB\r\n0123456789a\r\n" + LAST_CHUNK,
        b"0123456789" * 2 + b"a",
    ),
    good("chunks: extensions", CHUNKED, b'5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n', b"hello", may_refuse=True),
    good(
        "chunks: an extension that looks like a request",
        CHUNKED,
        b"5;GET /hidden\r\nhello\r\n" + LAST_CHUNK,
        b"hello",
        may_refuse=True,
    ),
    good("chunks: hide a request", CHUNKED, HIDDEN_CHUNK, HIDDEN),
    good("chunks: hide an end", CHUNKED, b"5\r\n0\r\n\r\n\r\n" + LAST_CHUNK, LAST_CHUNK),
    good("trailer: another Host", CHUNKED, _trailing(b"Host: evil\r\n"), b"hello", may_refuse=True),
    good("trailer: another session", CHUNKED, _trailing(b"x-flowmock-session: evil\r\n"), b"hello", may_refuse=True),
    Row(
        "trailer: Connection",
        post(CHUNKED, _trailing(b"Connection: close\r\n")),
        ("POST", "/pay", b"hello"),
        may_refuse=True,
        may_end=True,
    ),
    good("trailer: announced", b"Trailer: X-Sum\r\n" + CHUNKED, _trailing(b"X-Sum: 5\r\n"), b"hello"),
]

ROWS: list[Row] = [*_TWO_FRAMINGS, *_OBFUSCATED, *_LENGTH_ROWS, *_CHUNK_ROWS]
