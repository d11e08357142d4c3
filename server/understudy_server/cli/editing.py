"""Changing what the server keeps, in the form of ``understudy.yaml``: by flags, from a file or in an editor.

Nothing that was typed is lost: what cannot be used can be edited again, and is kept in a file in the end.
"""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import typer

from understudy_server.cli import asking
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.forms import pointing, read_form, read_text

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from google.protobuf.message import Message

    from understudy_server.cli.command import Desk

F = TypeVar("F", bound="Message")
Answer = TypeVar("Answer")

_EDITORS = ("sensible-editor", "nano", "vi")
# Refused for what is written there, so that another edit may help.
_MENDABLE = frozenset(("invalid_field", "invalid_override", "not_found", "already_exists"))


@dataclass(frozen=True, slots=True)
class Subject(Generic[F]):
    """What is to change: its name for people, its form as it is, and who declares it, if a file does.

    ``prefix`` stands before the fields of the form in the request; ``command`` changes it; ``flags`` names some flags
    of that; ``notes`` are lines for whoever edits.
    """

    title: str
    form: F
    managed_by: str
    prefix: str
    command: str
    flags: str
    notes: tuple[str, ...] = ()


async def change_form(
    desk: "Desk", subject: Subject[F], send: Callable[[F], Awaitable[Answer]], *, said: F | None, source: str | None
) -> Answer | None:
    """Send a changed form: the one that flags have ``said``, the one in the file ``source``, or one from the editor.

    ``None`` when nothing was changed in the editor. ``send`` raises CommandFailed when it is refused, and so does this,
    also when the form cannot be used or none is given and nobody sits there to edit it.
    """
    if said is not None and source is not None:
        raise CommandFailed(ExitCode.USAGE, "--from and flags exclude each other", "Name what is to change in one way.")
    if said is not None:
        return await send(said)
    if source is not None:
        read = read_form(source, type(subject.form))
        with pointing(read, subject.prefix):
            return await send(read.message)
    if subject.managed_by:
        # Before anybody types what the server would refuse afterwards.
        message = f"managed_by_file: {subject.title} is declared by {subject.managed_by}"
        advice = f"Change it there, or hand it over to the API: `understudy release {subject.managed_by}`."
        raise CommandFailed(ExitCode.REFUSED, message, advice)
    if not asking.on_terminal():
        advice = (
            f"Give what is to change ({subject.flags}), or all of it with --from FILE. On a terminal an editor opens."
        )
        raise CommandFailed(ExitCode.USAGE, f"nothing is said that is to change in {subject.title}", advice)
    answer = await _edit(desk, subject, send)
    if answer is None:
        typer.echo("nothing changed", err=True)
    return answer


async def _edit(desk: "Desk", subject: Subject[F], send: Callable[[F], Awaitable[Answer]]) -> Answer | None:
    from understudy_server.manifest.writing import write_value

    editor = _editor()
    path = _write(subject, write_value(subject.form))
    while True:
        # Where no server runs, the command itself holds the data: not while somebody types.
        await desk.line.hang_up()
        _open(editor, path)
        text = _typed(path)
        try:
            read = read_text(text, path.name, type(subject.form), Path.cwd())
            if read.message == subject.form:
                _discard(path)
                return None
            with pointing(read, subject.prefix):
                answer = await send(read.message)
        except CommandFailed as failure:
            if not _wants_another_try(failure):
                raise _kept(failure, path, subject) from failure
        else:
            _discard(path)
            return answer


def _editor() -> list[str]:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return shlex.split(named)
    for each in _EDITORS:
        if shutil.which(each):
            return [each]
    raise CommandFailed(ExitCode.USAGE, "there is no editor", "Name one in VISUAL or EDITOR, or use --from FILE.")


def _write(subject: Subject[F], text: str) -> Path:
    notes = (f"{subject.title}: save and close to set it; without a change nothing happens.", *subject.notes)
    name = subject.title.replace("/", "-").replace(" ", "-")
    path = Path(tempfile.mkdtemp(prefix="understudy-")) / f"{name}.yaml"
    path.write_text("".join(f"# {note}\n" for note in notes) + text, encoding="utf-8")
    return path


def _open(editor: list[str], path: Path) -> None:
    # Ctrl-C is the editor's while it is open. It reaches us too, and would end the command with all that was typed.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode  # noqa: S603 - the user's own editor
    except OSError as error:
        _discard(path)
        advice = "VISUAL and EDITOR name the editor."
        raise CommandFailed(ExitCode.USAGE, f"cannot start {editor[0]}: {error.strerror}", advice) from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        message = f"the editor ended with {code}: nothing was changed"
        raise CommandFailed(ExitCode.USAGE, message, f"What was typed is in {path}.")


def _typed(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(ExitCode.USAGE, f"cannot read {path} as text: {error}") from error


def _wants_another_try(failure: CommandFailed) -> bool:
    mendable = failure.exit_code is ExitCode.USAGE or failure.reason in _MENDABLE
    if not mendable or not asking.on_terminal():
        return False
    typer.echo("\n".join(line for line in (failure.message, failure.advice) if line), err=True)
    return asking.agreed("Edit it again?", default=True)


def _kept(failure: CommandFailed, path: Path, subject: Subject[F]) -> CommandFailed:
    kept = f"What you typed is in {path}; to set it: {subject.command} --from {path}"
    advice = "\n".join(line for line in (failure.advice, kept) if line)
    return CommandFailed(failure.exit_code, failure.message, advice, problem=failure.problem)


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
