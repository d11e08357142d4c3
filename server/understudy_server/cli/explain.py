"""``understudy explain``: why a request was, or would be, answered as it is."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming

if TYPE_CHECKING:
    from understudy.v1.explain_service_pb2 import ExplainedRequest, ExplainRequest

    from understudy_server.cli.curl_line import Sent

_CURL = "curl"
_LOG = "log_"
_FLAGS = {
    "candidates_max": "--limit",
    "log_id": "LOG_ID",
    "request.session_key": "--session",
    "request.method": "curl's -X",
    "request.target": "the URL",
    "request.host": "the URL",
    "request.headers": "curl's headers:",
    "request.body": "curl's data",
}
"""What says it on the command line, by the fields of the request."""


class _UpToCurl(TyperCommand):
    """A command whose own options end at the word curl: what stands behind it is curl's."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Take the words apart."""
        ctx.allow_interspersed_args = _CURL not in args
        return super().parse_args(ctx, args)


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "explain", cls=_UpToCurl)
    async def explain(
        desk: Desk,
        of: Annotated[
            list[str],
            typer.Argument(
                metavar="LOG_ID|curl",
                help="Id of a log row; or the word curl and what follows it in the line that sends the request.",
                show_default=False,
            ),
        ],
        *,
        session: Annotated[
            str,
            typer.Option(
                metavar="KEY",
                help="Session key, in place of the one that the request carries.",
                autocompletion=completing.sessions,
            ),
        ] = "",
        limit: Annotated[int, typer.Option(min=1, max=1000, help="Most mocks to show.")] = 50,
    ) -> None:
        """Tell why a request is answered as it is: which mock wins, and why not the others.

        Options stand before the word curl, and all that follows is curl's. Nothing is sent.

        understudy explain curl -X POST http://127.0.0.1:8080/checkout/staging/api/pay -H 'x-flowmock-session: ci-42'

        understudy explain log_01J0ZK3V8Q4C9W7M2N5R6T8XYB
        """
        from understudy.v1.explain_service_pb2 import ExplainRequest, ExplainResponse

        from understudy_server.cli.explained import print_explanation
        from understudy_server.cli.output import print_json

        request = ExplainRequest(candidates_max=limit)
        asked = await _ask(desk, of, request)
        if session and request.log_id:
            advice = "Leave it out: an exchange is explained with the key that it had."
            raise CommandFailed(ExitCode.USAGE, "--session is for a line of curl's", advice)
        if session:
            request.request.session_key = session
        with naming(_FLAGS):
            answer = await asked.call(request, ExplainResponse)
        if desk.as_json:
            print_json(answer)
        else:
            print_explanation(request, answer)


async def _ask(desk: Desk, words: list[str], request: "ExplainRequest") -> Desk:
    """Fill in what is asked about; returns the desk at its place. Raises CommandFailed."""
    if words[0] == _CURL:
        from understudy_server.cli.explain_place import place_of

        sent = _read(words[1:])
        placed, target = await place_of(desk, sent)
        _put(sent, target, request.request)
        return placed
    if len(words) > 1 or not words[0].startswith(_LOG):
        advice = "Write the id of a log row (log_...), or the word curl and what follows it: explain curl URL."
        raise CommandFailed(ExitCode.USAGE, f"{' '.join(words)[:100]} is nothing to explain", advice)
    request.log_id = words[0]
    return desk


def _read(words: list[str]) -> "Sent":
    from understudy_server.cli.curl_line import read_curl
    from understudy_server.cli.curl_options import BadCurl

    try:
        return read_curl(words, _content)
    except BadCurl as bad:
        raise CommandFailed(ExitCode.USAGE, bad.message, bad.advice) from None


def _content(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _put(sent: "Sent", target: str, request: "ExplainedRequest") -> None:
    request.method, request.target, request.body = sent.method, target, sent.body
    for name, value in sent.headers:
        request.headers.add(name=name, value=value)
