"""Asks the real service. For now with a connection for each request, and with bodies held in memory."""

import asyncio

from understudy_server.proxy.forwarding import Upstream
from understudy_server.proxy.messages import Refused, UpstreamAnswer
from understudy_server.proxy.response_parser import InvalidAnswer, ResponseParser
from understudy_server.proxy.settings import KIB, ProxySettings

_READ_BYTES = 64 * KIB


class UpstreamClient:
    """Sends requests as bytes and reads whole answers. A failure of the upstream is an answer too: a ``Refused``."""

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings

    async def fetch(self, upstream: Upstream, method: str, request: bytes) -> UpstreamAnswer | Refused:
        """Send a request and return the answer, or in its place what the client gets: 502 or 504.

        Cancelling ends the connection. The time limit runs until the head of the answer is here, and then anew with
        every piece that arrives.
        """
        try:
            async with asyncio.timeout(self._settings.upstream_timeout_seconds) as deadline:
                return await self._exchange(upstream, method, request, deadline)
        except TimeoutError:
            return Refused(504, "upstream_timeout", "The upstream did not answer in time.")
        except InvalidAnswer as error:
            return Refused(502, "upstream_invalid", f"The upstream's answer cannot be relayed: {error}.")
        except (OSError, UnicodeError):
            # No such host, refused, reset, or a certificate that does not hold. UnicodeError: no name at all.
            return Refused(502, "upstream_unreachable", "The upstream cannot be reached.")

    async def _exchange(
        self, upstream: Upstream, method: str, request: bytes, deadline: asyncio.Timeout
    ) -> UpstreamAnswer:
        tls = (self._settings.upstream_tls or True) if upstream.tls else None
        reader, writer = await asyncio.open_connection(upstream.host, upstream.port, ssl=tls)
        try:
            # Not drained: an upstream may answer before it has read all, and the bytes are in memory anyway.
            writer.write(request)
            return await self._read(reader, ResponseParser(method, self._settings), deadline)
        finally:
            writer.transport.abort()

    async def _read(
        self, reader: asyncio.StreamReader, parser: ResponseParser, deadline: asyncio.Timeout
    ) -> UpstreamAnswer:
        clock = asyncio.get_running_loop().time
        while data := await reader.read(_READ_BYTES):
            answer = parser.feed(data)
            if answer:
                return answer
            if parser.head_done:
                deadline.reschedule(clock() + self._settings.upstream_timeout_seconds)
        return parser.end()
