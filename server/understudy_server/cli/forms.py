"""What is given to a command in the form of ``understudy.yaml``: by a file, on the standard input or from an editor."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from google.protobuf.message import Message

    from understudy_server.manifest.marks import Marks
    from understudy_server.manifest.problems import Problem
    from understudy_server.manifest.reading import Read

M = TypeVar("M", bound="Message")

STDIN = "-"
STDIN_NAME = "the standard input"

From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="FILE", help="YAML or JSON in the form of understudy.yaml; - is the standard input."
    ),
]
BatchFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="YAML or JSON with `operations`; - is the standard input.", show_default=False),
]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="Its revision then.", min=1, show_default=False)]
AsYaml = Annotated[bool, typer.Option("--yaml", help="Print the form that --from takes.")]


def read_form(source: str, kind: type[M]) -> "Read[M]":
    """Read a message from a file, or from the standard input for ``-``. Raises CommandFailed (usage)."""
    if source == STDIN:
        return read_text(sys.stdin.read(), STDIN_NAME, kind, Path.cwd())
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CommandFailed(ExitCode.USAGE, f"{source} is not text in UTF-8") from error
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"cannot read {source}: {error.strerror}") from error
    return read_text(text, source, kind, path.parent)


def read_text(text: str, name: str, kind: type[M], folder: Path) -> "Read[M]":
    """Read a message from text that problems call ``name``; files it names are beside, in ``folder``.

    Raises CommandFailed (usage) that lists what is wrong.
    """
    from understudy_server.manifest.problems import Unreadable
    from understudy_server.manifest.reading import read_value

    try:
        return read_value(text, name, kind, os.environ, folder)
    except Unreadable as error:
        raise unusable(name, error.problems) from error


def unusable(name: str, problems: "Iterable[Problem]") -> CommandFailed:
    """A file that cannot be used, with all that is wrong, a line each."""
    lines = [str(problem) for problem in problems]
    count = "a problem" if len(lines) == 1 else f"{len(lines)} problems"
    return CommandFailed(ExitCode.USAGE, f"{name} has {count}", "\n".join(lines))


@contextmanager
def pointing(read: "Read[M] | None", prefix: str) -> Iterator[None]:
    """Give the refusals of a block the place in a text that they are about; see ``pointed``."""
    try:
        yield
    except CommandFailed as failure:
        told = pointed(failure, read.marks, prefix) if read else failure
        if told is failure:
            raise
        raise told from failure


def pointed(failure: CommandFailed, marks: "Marks", prefix: str) -> CommandFailed:
    """A server's refusal, with the place in the text that it is about, when it names a field that came from there.

    ``prefix`` stands before the fields of the text in the request: ``mock.`` in one that has the mock in ``mock``.
    """
    field = failure.problem.field if failure.problem else ""
    if not field.startswith(prefix):
        return failure
    mark = marks.find(field.removeprefix(prefix))
    place = f"{mark.file}:{mark.line}:{mark.column}"
    return CommandFailed(failure.exit_code, f"{place}: {failure.message}", failure.advice, problem=failure.problem)
