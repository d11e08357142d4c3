"""Where the demo plays: it sends real requests to a real server and shows each as a line to paste."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio

from understudy_server.cli.connection import OverChannel
from understudy_server.cli.http_client import HttpAnswer, ask
from understudy_server.cli.sample_names import ENVIRONMENT, PROJECT
from understudy_server.cli.serve import Running

API_PATH = "/api/v1"
APP_PATH = f"/{PROJECT}/{ENVIRONMENT}"
PLACE = f"project={PROJECT}&environment={ENVIRONMENT}"
SESSION_HEADER = "x-flowmock-session"
OK = 200

Digest = Callable[[str], str]
"""Makes of the text of an answer what the transcript shows of it."""


class StepFailed(Exception):
    """Something that should hold does not. The message says what should hold, and what was found."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The server, and where the transcript goes."""

    server: Running
    write: Callable[[str], None]

    async def api(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, digest: Digest | None = None
    ) -> HttpAnswer:
        """Call the REST API as a pipeline does. Of a long answer a digest can be shown instead of all of it."""
        text = None if body is None else json.dumps(body, separators=(",", ":"))
        shown = f'curl -X {method} "$API{path}" -H "Authorization: Bearer $KEY"'
        self._show(shown if text is None else f"{shown} -d {shlex.quote(text)}")
        headers = {"authorization": f"Bearer {self.server.first_key}", "content-type": "application/json"}
        answer = await ask(self.server.rest, method, API_PATH + path, headers, text)
        return self._answered(answer, digest(answer.body) if digest and answer.status == OK else answer.body)

    async def app(self, method: str, path: str, *, session_key: str = "", body: str | None = None) -> HttpAnswer:
        """Send what the app under test would send, with a session key or without."""
        shown = f'curl -X {method} "$APP{path}"'
        if body is not None:
            shown += f" -d {shlex.quote(body)}"
        if session_key:
            shown += f" -H '{SESSION_HEADER}: {session_key}'"
        self._show(shown)
        headers = {SESSION_HEADER: session_key} if session_key else {}
        answer = await ask(self.server.proxy, method, APP_PATH + path, headers, body)
        return self._answered(answer, f"{answer.body}  ({answer.took_ms} ms)")

    def rpc_channel(self) -> grpc.aio.Channel:
        """A channel to the gRPC door. The caller closes it."""
        return grpc.aio.insecure_channel(self.server.grpc)

    def rpc(self, channel: grpc.aio.Channel) -> OverChannel:
        """The gRPC door, with the same key."""
        return OverChannel(channel, self.server.grpc, self.server.first_key)

    def _show(self, command: str) -> None:
        self.write(f"   $ {command}")

    def _answered(self, answer: HttpAnswer, shown: str) -> HttpAnswer:
        self.write(f"     {answer.status}  {shown}")
        return answer


def check(claim: str, found: object, wanted: object) -> None:
    """Hold the demo to its word. Raises StepFailed."""
    if found != wanted:
        raise StepFailed(f"{claim}: expected {wanted!r}, found {found!r}")
