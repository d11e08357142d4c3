"""``understudy session export KEY``: all that is on record of a session, in one archive to attach to a CI job."""

import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from understudy_server.cli.asking import working
from understudy_server.cli.command import Desk, command
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.session_keys import SessionKey
from understudy_server.cli.whole_files import check_is_new, opened_whole

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from google.protobuf.message import Message

    from understudy_server.bundle.archive import Archive

_HELD_BYTES_MAX = 8 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_EXPORT_SECONDS_MAX = 3_600.0
_NUMBER_MAX = 2**53 - 1


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "export")(_export)


async def _export(
    desk: Desk,
    session_key: SessionKey,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there.  \\[default: understudy-KEY.zip]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file when it is there.")] = False,
) -> None:
    """Write all that is on record of a session into one archive.

    It holds the exchanges (exchanges.har, which browsers open, and exchanges.jsonl), the verifications asked
    (junit.xml, verifications.json), the session and its state, its findings, and a listing with the SHA-256 of each.
    Requests that carried the key while no session had it are among the exchanges; those of an earlier session with the
    same key are not. What is masked on the server is masked in it.
    """
    path = output or Path(f"understudy-{_file_name(session_key)}.zip")
    if not force:
        check_is_new(path)
    with opened_whole(path, over=force) as file, working(f"exporting {session_key}"):
        exchanges = await _write(desk, session_key, file)
    _tell(desk, path, exchanges)


def _tell(desk: Desk, path: Path, exchanges: int) -> None:
    import hashlib

    from understudy_server.cli.output import count, print_value

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if desk.as_json:
        print_value({"file": str(path), "exchanges": exchanges, "sha256": digest})
    else:
        typer.echo(f"{path}: {count(exchanges, 'exchange')}, sha256 {digest}")


async def _write(desk: Desk, session_key: str, file: BinaryIO) -> int:
    """Write the archive. Returns how many exchanges it holds."""
    from understudy.v1 import project_session_service_pb2 as of_project
    from understudy.v1 import session_service_pb2 as sessions
    from understudy.v1 import state_service_pb2 as state
    from understudy.v1 import verification_service_pb2 as pb

    from understudy_server.bundle.archive import Archive
    from understudy_server.bundle.junit import junit

    # Refused for a key that nobody knows: then there is no archive.
    verified = await desk.call(pb.ListVerificationsRequest(session_key=session_key), pb.ListVerificationsResponse)
    # Nothing is counted behind that number, but it is told which session is asked about: the last one, if it is gone.
    asked = pb.CountCallsRequest(session_key=session_key, after=_NUMBER_MAX)
    session_id = (await desk.call(asked, pb.CountCallsResponse)).completeness.session_id
    version = await _server_version(desk)
    with Archive(file) as archive:
        exchanges = await _write_exchanges(desk, session_key, session_id, archive, version)
        # Asked when they are written: what is complete now was so before.
        health = await desk.call(pb.GetSessionHealthRequest(session_key=session_key), pb.GetSessionHealthResponse)
        archive.add("verifications.json", _json(verified))
        archive.add("junit.xml", junit(session_key, verified.verifications))
        archive.add("health.json", _json(health))
        about: dict[str, object] = {"session": session_key, "server": version, "exchanges": exchanges}
        if health.session_exists and health.completeness.session_id == session_key:
            # One of the project is found by its id, and has flags alone. Its token is a secret.
            read = of_project.GetProjectSessionRequest(session_id=session_key)
            found = (await desk.call(read, of_project.GetProjectSessionResponse)).session
            found.ClearField("token")
            archive.add("session.json", _json(found))
            about["project"] = found.project
        elif health.session_exists:
            got = await desk.call(sessions.GetSessionRequest(session_key=session_key), sessions.GetSessionResponse)
            archive.add("session.json", _json(got.session))
            kept = await desk.call(state.GetStateRequest(session_key=session_key), state.GetStateResponse)
            archive.add("state.json", _json(kept))
            about |= {"project": got.session.project, "environment": got.session.environment}
            if got.session.HasField("seed"):
                about["seed"] = got.session.seed
        archive.list_all({**about, "complete": health.completeness.complete})
    return exchanges


async def _write_exchanges(desk: Desk, session_key: str, session_id: str, archive: "Archive", version: str) -> int:
    """Write those of the session and of none line by line, and as HAR beside: only one file of an archive can be open.

    Returns how many there are.
    """
    import shutil

    from understudy.v1.log_service_pb2 import EXCHANGE_OUTCOME_EVALUATED, TailLogsRequest, TailLogsResponse

    from understudy_server.bundle.har import HarWriter

    request = TailLogsRequest(session_key=session_key, from_start=True, until_now=True, with_details=True)
    exchanges = 0
    with tempfile.SpooledTemporaryFile(_HELD_BYTES_MAX) as spool:
        har = HarWriter(spool, version)
        with archive.file("exchanges.jsonl") as lines:
            async with aclosing(desk.stream(request, TailLogsResponse, _EXPORT_SECONDS_MAX)) as answers:
                async for answer in answers:
                    if answer.log.session_id not in ("", session_id):
                        continue
                    lines.write(_json(answer.log))
                    if answer.log.outcome != EXCHANGE_OUTCOME_EVALUATED:
                        # HAR is about HTTP.
                        har.add(answer.log)
                    exchanges += 1
        har.end()
        spool.seek(0)
        with archive.file("exchanges.har") as copy:
            shutil.copyfileobj(spool, copy, _PIECE_BYTES)
    return exchanges


async def _server_version(desk: Desk) -> str:
    """The server's version; empty for a key that may not ask."""
    from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse

    try:
        return (await desk.call(GetStatusRequest(), GetStatusResponse)).status.version
    except CommandFailed as failure:
        if failure.exit_code is not ExitCode.NOT_AUTHORISED:
            raise
        return ""


def _json(message: "Message") -> bytes:
    from understudy_server.cli.output import as_json

    return as_json(message).encode() + b"\n"


def _file_name(session_key: str) -> str:
    return "".join([each if each.isalnum() or each in "-_." else "_" for each in session_key])[:100]
