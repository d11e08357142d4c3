"""What the tests of stalling and vanishing play on: two environments, one with a good service, and short timers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import Proxy, running
from support.recording_upstream import echo_of
from support.scripted_upstream import Script, ScriptedUpstream, scripted_upstream
from support.strict_http import Message, read_answers
from support.vanishing import Client, client, nothing_left
from understudy_server.core.record import ExchangeOutcome
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.settings import ProxySettings

KEY = "x-flowmock-session: ci-42"
LONG_MS = 120_000
SOON_SECONDS = 0.1

PATIENT = ProxySettings(linger_seconds=0.1, upstream_keep_seconds=0.05, tick_seconds=0.01)
"""Waits for everything as long as in production, but lets go of unused connections at once, so that tests can count."""


def hasty(name: str) -> ProxySettings:
    """Settings under which one deadline comes soon."""
    changed: dict[str, Any] = {name: SOON_SECONDS}
    return replace(PATIENT, **changed)


def source(upstream_url: str, good_url: str = "", *, delay_ms: int = 0) -> FakeSource:
    """`staging` has the upstream under test, and a mock on `/quick` for a session with a delay; `good` a good one."""
    made = FakeSource()
    made.commit(
        environments={
            ENVIRONMENT_ID: environment(upstream=upstream_url),
            "env_2": EnvironmentRow("env_2", "prj_1", "checkout", "good", good_url, ()),
        },
        mocks={"ovr_quick": mock("ovr_quick", path="/quick", json='"quick"')},
        sessions={"ses_ci-42": session(overrides=("ovr_quick",), delay_ms=delay_ms)},
    )
    return made


@dataclass
class Stage:
    """A proxy between a service that plays its script and a good one."""

    proxy: Proxy
    upstream: ScriptedUpstream

    @property
    def recorded(self) -> list[tuple[int, tuple[str, ...]]]:
        """What is on record of the exchanges in `staging`, in order: status and findings."""
        return [
            (each.status, each.findings)
            for each in self.proxy.journal.exchanges
            if each.environment_id == ENVIRONMENT_ID
        ]

    @property
    def outcomes(self) -> list[ExchangeOutcome]:
        """What became of those exchanges, as it is on record."""
        return [each.outcome for each in self.proxy.journal.exchanges if each.environment_id == ENVIRONMENT_ID]

    @property
    def statuses(self) -> list[int]:
        return [status for status, _ in self.recorded]

    async def check_serving(self) -> None:
        """A fresh client gets what it asks for, from a mock and from a service."""
        async with client(self.proxy.address) as fresh:
            await fresh.send(request("/fresh", "Connection: close", environment="good"))
            (answer,), rest = read_answers(await fresh.read_all(), ["GET"])
        assert (answer.status, answer.body, rest) == (200, echo_of("GET", "/fresh", b""), b"")


@asynccontextmanager
async def stage(
    settings: ProxySettings, script: Script | None = None, *, upstream_url: str = "", delay_ms: int = 0
) -> AsyncIterator[Stage]:
    """Run it for a while; afterwards a fresh client must be served, and then nothing may be left of anybody."""
    async with scripted_upstream(script or Script()) as scripted, scripted_upstream(Script()) as good:
        made = source(upstream_url or scripted.url, good.url, delay_ms=delay_ms)
        async with running(made, settings=settings) as proxy:
            play = Stage(proxy, scripted)
            # What is made when first used (a resolver's thread, a store of certificates) is no leak.
            await play.check_serving()
            async with nothing_left():
                yield play
                await play.check_serving()


def request(
    path: str, *lines: str, method: str = "GET", environment: str = "staging", version: str = "HTTP/1.1"
) -> bytes:
    """Write the head of a request."""
    head = [f"{method} /checkout/{environment}{path} {version}", "Host: proxy", *lines, "", ""]
    return "\r\n".join(head).encode()


async def answers_of(each: Client, *methods: str) -> tuple[list[Message], bytes]:
    """Read to the end. Return the answers, and the bytes of one that broke off."""
    return read_answers(await each.read_all(), methods or ("GET",))


def refusal(answer: Message) -> tuple[int, str]:
    """Status and code of an answer in the envelope."""
    envelope = json.loads(answer.body)
    assert set(envelope) == {"error", "code"}
    return answer.status, envelope["code"]
