"""Many testers at one URL, each with an answer of its own: requests of all keys over all connections, all checked.

The check knows nothing of a proxy but its address and what each key must get, so that it can be shown to find leaks.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_BURST_MAX = 8
_SHARE_OWN, _SHARE_WITHOUT = 0.5, 0.2
_SHARE_TRACED = 0.5
# Names of headers are the same in any case, and an app under test may have any.
_HEADERS = ("x-flowmock-session", "X-FlowMock-Session", "X-FLOWMOCK-SESSION")


@dataclass
class Tally:
    """What was sent for each key (``""``: without one), and every answer that was another's."""

    sent: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sent:
    """A request without a key gets its own body back: no two bodies are alike."""

    key: str
    body: str


@dataclass(frozen=True)
class Crowd:
    """``answers`` is what each key gets at ``path``, where the service behind the proxy echoes."""

    address: str
    path: str
    answers: Mapping[str, str]
    seed: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def check(self, requests: int) -> Tally:
        """Send so many requests, over one connection for each session, all at once."""
        keys = list(self.answers)
        tally = Tally()
        share, rest = divmod(requests, len(keys))
        async with asyncio.TaskGroup() as group:
            for number, key in enumerate(keys):
                group.create_task(self._test(key, keys, share + (number < rest), tally))
        return tally

    async def _test(self, own: str, keys: Sequence[str], requests: int, tally: Tally) -> None:
        """One tester's connection: bursts of requests, mostly with its own key, and others' between them."""
        dice = random.Random(f"{self.seed} {own}")
        host, _, port = self.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        while requests:
            burst = [self._draw(own, keys, dice) for _ in range(min(requests, dice.randint(1, _BURST_MAX)))]
            writer.write(b"".join(self._request(each, dice) for each in burst))
            for each in burst:
                self._compare(each, await _read_answer(reader), tally)
            requests -= len(burst)
        writer.close()
        await writer.wait_closed()

    def _draw(self, own: str, keys: Sequence[str], dice: random.Random) -> Sent:
        drawn, body = dice.random(), f'{{"request": {next(self._numbers)}}}'
        if drawn < _SHARE_OWN:
            return Sent(own, body)
        return Sent("" if drawn < _SHARE_OWN + _SHARE_WITHOUT else dice.choice(keys), body)

    def _request(self, sent: Sent, dice: random.Random) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", "host: app", f"content-length: {len(sent.body)}"]
        if dice.random() < _SHARE_TRACED:
            # As traced applications have it: in these, the key and the trace are all that differs.
            lines.append(f"traceparent: 00-{next(self._numbers):032x}-00f067aa0ba902b7-01")
            lines.extend([f"{_HEADERS[0]}: {sent.key}"] * bool(sent.key))
        elif sent.key:
            lines.insert(dice.randint(1, len(lines)), f"{dice.choice(_HEADERS)}: {sent.key}")
        return "\r\n".join([*lines, "", sent.body]).encode()

    def _compare(self, sent: Sent, seen: str, tally: Tally) -> None:
        tally.sent[sent.key] += 1
        if seen != (self.answers[sent.key] if sent.key else sent.body):
            tally.wrong.append(f"{sent.body} of {sent.key or 'nobody'} was answered {seen}")


async def _read_answer(reader: asyncio.StreamReader) -> str:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    assert status.startswith("HTTP/1.1 200"), status
    length = next(line for line in lines if line.lower().startswith("content-length:"))
    return (await reader.readexactly(int(length.partition(":")[2]))).decode()
