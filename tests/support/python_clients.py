"""httpx, requests and aiohttp as clients that play calls."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import aiohttp
import httpx
import requests
from support.calls import CALL_SECONDS_MAX, Answer, Call

_PIECE_BYTES = 7_000


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


class HttpxClient:
    def __init__(self) -> None:
        self._client = httpx.Client(timeout=CALL_SECONDS_MAX, trust_env=False)

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._send(call) for call in calls]

    def _send(self, call: Call) -> Answer:
        content = _pieces(call.body) if call.chunked else call.body or None
        answer = self._client.request(call.method, call.url, headers=dict(call.headers), content=content)
        return Answer(answer.status_code, _lower(answer.headers.multi_items()), answer.content)

    def close(self) -> None:
        self._client.close()


class RequestsClient:
    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._send(call) for call in calls]

    def _send(self, call: Call) -> Answer:
        answer = self._session.request(
            call.method,
            call.url,
            headers=dict(call.headers),
            data=_pieces(call.body) if call.chunked else call.body or None,
            allow_redirects=False,
            timeout=CALL_SECONDS_MAX,
        )
        return Answer(answer.status_code, _lower(answer.headers.items()), answer.content)

    def close(self) -> None:
        self._session.close()


class AiohttpClient:
    """On an event loop of its own, which runs while calls are played."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS_MAX))

    def play(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._runner.run(self._send(call)) for call in calls]

    async def _send(self, call: Call) -> Answer:
        async with self._session.request(
            call.method,
            call.url,
            headers=call.headers,
            data=_pieces_later(call.body) if call.chunked else call.body or None,
            allow_redirects=False,
            expect100=call.waits,
        ) as answer:
            return Answer(answer.status, _lower(answer.headers.items()), await answer.read())

    def close(self) -> None:
        self._runner.run(self._session.close())
        self._runner.close()


async def _pieces_later(body: bytes) -> AsyncIterator[bytes]:
    for piece in _pieces(body):
        yield piece


def _lower(pairs: object) -> list[tuple[str, str]]:
    return [(str(name).lower(), str(value)) for name, value in pairs]  # type: ignore[attr-defined]
