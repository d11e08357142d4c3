"""A service in a process of its own, with good answers and bad ones by path. It prints its port, and runs until killed.

``/real/echo`` gives a body back, in chunks if it came so; ``/real/reset`` resets the connection, ``/real/half`` breaks
off within an answer, ``/real/never`` does not answer. Anything else says ``real`` and the path.
"""

import asyncio
import socket
import struct

_PIECE = 10_000
_HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly a part of it"


async def serve_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it ends."""
    try:
        while await _serve(reader, writer):
            pass
    except (OSError, asyncio.IncompleteReadError):
        # Whoever was there is gone.
        pass
    finally:
        writer.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; False when the connection ends with it."""
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    path = start.split(" ")[1].partition("?")[0]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    body = await _chunks(reader) if is_chunked else await reader.readexactly(int(headers.get("content-length", 0)))
    match path:
        case "/real/reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        case "/real/half":
            writer.write(_HALF)
            await writer.drain()
            return False
        case "/real/never":
            # Until whoever asks has had enough of it.
            await reader.read()
            return False
        case "/real/echo":
            _answer(writer, body, in_chunks=is_chunked)
        case _:
            _answer(writer, f'{{"real": "{path}"}}'.encode(), in_chunks=False)
    await writer.drain()
    return True


def _answer(writer: asyncio.StreamWriter, body: bytes, *, in_chunks: bool) -> None:
    if not in_chunks:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        return
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for at in range(0, len(body), _PIECE):
        piece = body[at : at + _PIECE]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    writer.write(b"0\r\n\r\n")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.start_server(serve_client, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
