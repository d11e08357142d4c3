"""What a client reads, byte for byte, when its bytes are no request for this proxy."""

import asyncio

import pytest
from support.live_source import FakeSource
from support.proxying import DATE, running
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(target_bytes_max=64, head_bytes_max=256, headers_max=5, request_body_bytes_max=16)
_HOST = b"HTTP/1.1\r\nHost: a\r\n"

_GOLDEN: list[tuple[bytes, bytes, str]] = [
    (
        b"FOO / " + _HOST + b"\r\n",
        b"501 Not Implemented",
        '{"error":"This method is not known.","code":"method_unknown"}',
    ),
    (
        b"CONNECT a:1 " + _HOST + b"\r\n",
        b"405 Method Not Allowed",
        '{"error":"This is not a tunnel.","code":"method_not_allowed"}',
    ),
    (
        b"GET /\r\n\r\n",
        b"505 HTTP Version Not Supported",
        '{"error":"Only HTTP/1.0 and HTTP/1.1 are spoken here.","code":"version_not_supported"}',
    ),
    (
        b"GET / HTTP/1.1\r\n\r\n",
        b"400 Bad Request",
        '{"error":"There must be exactly one Host header.","code":"bad_request"}',
    ),
    (
        b"GET /x#y " + _HOST + b"\r\n",
        b"400 Bad Request",
        '{"error":"A request target has no fragment.","code":"bad_request"}',
    ),
    (
        b"POST / " + _HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        b"501 Not Implemented",
        '{"error":"The only transfer coding known here is chunked.","code":"coding_not_supported"}',
    ),
    (
        b"GET /" + b"x" * 64 + b" " + _HOST + b"\r\n",
        b"414 URI Too Long",
        '{"error":"The request target is longer than 64 bytes.","code":"target_too_long"}',
    ),
    (
        b"GET / " + _HOST + b"a: b\r\n" * 5 + b"\r\n",
        b"431 Request Header Fields Too Large",
        '{"error":"There are more than 5 header lines.","code":"too_many_headers"}',
    ),
    (
        b"GET / " + _HOST + b"x: " + b"y" * 300 + b"\r\n\r\n",
        b"431 Request Header Fields Too Large",
        '{"error":"The headers are longer than 256 bytes.","code":"headers_too_large"}',
    ),
    (
        b"POST / " + _HOST + b"Content-Length: 17\r\n\r\n",
        b"413 Content Too Large",
        '{"error":"The body is longer than 16 bytes.","code":"body_too_large"}',
    ),
]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "byte-by-byte"])
@pytest.mark.parametrize("trailing", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["alone", "with-more"])
@pytest.mark.parametrize(("sent", "status", "envelope"), _GOLDEN)
async def test_refusal_is_one_answer_and_then_the_end(
    sent: bytes, status: bytes, envelope: str, trailing: bytes, *, whole: bool
) -> None:
    pieces = [sent + trailing] if whole else [bytes([byte]) for byte in sent + trailing]
    async with running(FakeSource(), settings=_SETTINGS) as proxy:
        reader, writer = await proxy.connect()
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        answer = await reader.read()
        writer.close()
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\ndate: %b\r\nconnection: close"
    assert answer == head % (status, len(envelope), DATE) + b"\r\n\r\n" + envelope.encode()
    assert proxy.journal.exchanges == []
