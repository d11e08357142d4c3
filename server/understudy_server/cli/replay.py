"""``understudy replay LOG_ID``: sends a recorded exchange again and tells what of the answer differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.core.codings import OF_PACKED_BYTES
from understudy_server.core.cors import SESSION_HEADER
from understudy_server.core.exchange import BROKEN_OFF, CLIENT_GONE
from understudy_server.core.headers import text_of
from understudy_server.core.redaction import MARKER

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.log_service_pb2 import Body, LogEntry

    from understudy_server.bundle.differing import Answer, Difference

# What is written anew, beside what belongs to one connection.
_LEFT_OUT = frozenset({"host", "expect", "accept-encoding"})
_SESSION_HEADER, _MASK = SESSION_HEADER.decode(), MARKER.decode()
_WITH_BODY = ("POST", "PUT", "PATCH")
_ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""More of an answer is not read."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "replay")(_replay)


@dataclass(frozen=True, slots=True)
class _Url:
    """Where requests are sent: ``HOST:PORT``, what stands before each path, and whether over TLS."""

    authority: str
    prefix: str
    is_secure: bool


async def _replay(
    desk: Desk,
    log_id: Annotated[
        str, typer.Argument(metavar="LOG_ID", help="Id of the row, such as log_01J…", show_default=False)
    ],
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Where to send it.  \\[default: the server's own proxy]")
    ] = "",
    session: Annotated[str, typer.Option("--session", metavar="KEY", help="In this session, not in its own.")] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="NAME: VALUE", help="A header, in place of the recorded one."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PART", help="What may differ: status, headers.NAME, body, body.$.id."),
    ] = None,
) -> None:
    """Send a recorded request again, and compare the answer with the recorded one. Ends with 1 when it differs.

    Headers that were masked on record are left out; name them with --header. What changes with every answer (date,
    etag, set-cookie and the like) is not compared.
    """
    from understudy.v1.log_service_pb2 import GetLogRequest, GetLogResponse

    from understudy_server.bundle.differing import differences

    log = (await desk.call(GetLogRequest(log_id=log_id), GetLogResponse)).log
    _check_can_be_sent(log)
    url = _read_url(to) if to else await _own_proxy(desk)
    headers, left_out = _headers(log, session, header or [])
    now = await _send(url, log, headers)
    found = differences(_recorded(log), now, [*(ignore or []), *_unknown_parts(log, now)])
    _tell(desk, log, found, left_out)
    if found:
        raise typer.Exit(ExitCode.REFUSED)


def _check_can_be_sent(log: "LogEntry") -> None:
    from understudy.v1.log_service_pb2 import EXCHANGE_OUTCOME_EVALUATED

    reason = ""
    if log.outcome == EXCHANGE_OUTCOME_EVALUATED:
        reason = "it is an evaluation of flags, and no request"
    elif not _is_whole(log.details.request_body):
        reason = "its body is masked on record, or not kept whole"
    elif _is_masked(log.query):
        reason = "its query is masked on record"
    elif log.status in (0, CLIENT_GONE) or BROKEN_OFF.intersection(log.findings):
        reason = "its answer was not sent to the end, so that there is nothing to compare with"
    if reason:
        raise CommandFailed(ExitCode.REFUSED, f"{log.id} cannot be replayed: {reason}")


def _unknown_parts(log: "LogEntry", now: "Answer") -> Sequence[str]:
    """What of the answers is not known, so that it cannot differ."""
    unknown = [f"headers.{each.name}" for each in log.details.response_headers if _is_masked(each.value)]
    if not _is_whole(log.details.response_body) or "content-encoding" in now.headers:
        unknown.append("body")
    return unknown


def _is_whole(body: "Body") -> bool:
    """Whether a body is on record as it was sent, but for being unpacked."""
    return not (body.truncated or body.masked or body.sha256)


def _is_masked(value: str) -> bool:
    return _MASK in value


def _read_url(text: str) -> _Url:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise CommandFailed(ExitCode.USAGE, f"--to: {text!r} is no URL such as http://127.0.0.1:8080/checkout/staging")
    return _Url(parts.netloc, parts.path.rstrip("/"), parts.scheme == "https")


async def _own_proxy(desk: Desk) -> _Url:
    """Where the server's proxy takes requests for the place that is named. Raises CommandFailed."""
    from understudy_server.cli.explain_place import is_here, listeners_of

    host = urlsplit(f"//{desk.line.address.rpartition('://')[2]}").hostname
    place = f"{desk.project}/{desk.environment}"
    # It is not known from here how the proxy of a server elsewhere is reached: its address is as it sees it.
    for listener in () if host and not is_here(host) else await listeners_of(desk):
        if listener.place in ("", place) and desk.project and desk.environment:
            scheme, mark, plain = listener.address.partition("://")
            prefix = "" if listener.place else f"/{place}"
            return _Url(plain if mark else scheme, prefix, scheme == "https" and bool(mark))
    raise CommandFailed(
        ExitCode.USAGE,
        "it is not known where to send it",
        "Name --to URL, or --project and --environment of a server that runs on this machine (--data).",
    )


def _headers(log: "LogEntry", session: str, given: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The headers to send, and the names of those that are masked on record and were not given."""
    replaced = [_header(text) for text in given]
    if session:
        replaced.append((_SESSION_HEADER, session))
    from understudy_server.definitions.proxy_headers import PROXY_HEADERS

    passed_over = {name.lower() for name, _ in replaced} | _LEFT_OUT | (PROXY_HEADERS - {"date"})
    if any(each.name.lower() == "content-encoding" for each in log.details.request_headers):
        # It is kept unpacked, and sent as it is kept.
        passed_over |= OF_PACKED_BYTES
    sent, left_out = [], []
    for each in log.details.request_headers:
        if each.name.lower() in passed_over:
            continue
        if _is_masked(each.value):
            left_out.append(each.name)
        else:
            sent.append((each.name, each.value))
    return [*sent, *replaced], left_out


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CommandFailed(ExitCode.USAGE, f"--header: {text!r} is not NAME: VALUE")
    return name.strip(), value.strip()


async def _send(url: _Url, log: "LogEntry", headers: Sequence[tuple[str, str]]) -> "Answer":
    import asyncio
    import http.client

    try:
        return await asyncio.to_thread(_exchange, url, log, headers)
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise CommandFailed(ExitCode.UNREACHABLE, f"no answer from {url.authority}: {error}") from error


def _exchange(url: _Url, log: "LogEntry", headers: Sequence[tuple[str, str]]) -> "Answer":
    import http.client

    from understudy_server.bundle.differing import Answer
    from understudy_server.cli.http_client import TIMEOUT_SECONDS

    kind = http.client.HTTPSConnection if url.is_secure else http.client.HTTPConnection
    connection = kind(url.authority, timeout=TIMEOUT_SECONDS)
    body = log.details.request_body.content
    try:
        target = url.prefix + log.path + (f"?{log.query}" if log.query else "")
        connection.putrequest(log.method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("utf-8"))
        if body or log.method in _WITH_BODY:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        with connection.getresponse() as answer:
            content = answer.read(_ANSWER_BYTES_MAX)
            if answer.length and len(content) < _ANSWER_BYTES_MAX:
                # Asked for so many bytes, the library says nothing of an answer that ends too early.
                raise http.client.IncompleteRead(content, answer.length)
    finally:
        connection.close()
    # As the record reads them; the library has read them as Latin-1.
    headers = [(name, text_of(value.encode("latin-1"))) for name, value in answer.getheaders()]
    return Answer(answer.status, _by_name(headers), content)


def _recorded(log: "LogEntry") -> "Answer":
    from understudy_server.bundle.differing import Answer

    headers = _by_name([(each.name, each.value) for each in log.details.response_headers])
    return Answer(log.status, headers, log.details.response_body.content)


def _by_name(headers: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def _tell(desk: Desk, log: "LogEntry", found: Sequence["Difference"], left_out: Sequence[str]) -> None:
    from understudy_server.cli.output import count, print_table, print_value

    if desk.as_json:
        different = [each._asdict() for each in found]
        print_value({"logId": log.id, "same": not found, "differences": different, "leftOut": list(left_out)})
        return
    if left_out:
        typer.echo(f"sent without {', '.join(left_out)}: masked on record; name them with --header", err=True)
    if found:
        print_table(("PART", "RECORDED", "NOW"), found, empty="")
    typer.echo(f"{log.id}: {count(len(found), 'difference')}" if found else f"{log.id}: the same answer, {log.status}")
