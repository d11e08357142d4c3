"""``understudy check``, ``diff``, ``apply``, ``dump`` and ``release``: what is kept in files."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.asking import working
from understudy_server.cli.command import Desk, command, finish
from understudy_server.cli.failures import CommandFailed
from understudy_server.cli.forms import STDIN, STDIN_NAME, pointed, unusable

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.manifest_service_pb2 import ApplyManifestResponse, Manifest

    from understudy_server.manifest.problems import Problem
    from understudy_server.manifest.reading import Read

APPLY_TIMEOUT_SECONDS = 300.0
"""A large manifest takes a while, and whoever gives up on it does not know whether it is in force."""

_DIFFERS = 1
_ADVICE = {
    "already_exists": "Add --adopt to take over what is there already, or choose other names.",
    "not_empty": "Add --force to remove it with all that is in it.",
    "scope_mismatch": "Use an organisation-wide admin key: `understudy key create --role admin` without --project.",
}

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The file, such as understudy.yaml.", show_default=False)]
_Source = Annotated[
    str, typer.Option("--source", metavar="NAME", help="Whose it is.  \\[default: as in the file, or the file's name]")
]
_Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over what it declares and was made through the API or by another source.")
]
_Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Remove projects and environments with all that is in them; let the source turn to others."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check")(_check)
    command(app, "diff")(_diff)
    command(app, "apply")(_apply)
    command(app, "dump")(_dump)
    command(app, "release")(_release)


def _check(
    file: _File, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False
) -> None:
    """Check a manifest without a server. Ends with 2 when anything is wrong with it."""
    finish(lambda: _check_file(file, as_json=as_json))


def _check_file(file: Path, *, as_json: bool) -> None:
    from understudy_server.cli.checking import size_of
    from understudy_server.cli.output import count, print_value

    try:
        read = _read(file, alone=True)
    except _Wrong as wrong:
        if not as_json:
            raise
        print_value({"ok": False, "problems": [_as_value(problem) for problem in wrong.problems]})
        raise typer.Exit(wrong.exit_code) from wrong
    size = size_of(read.message)
    if as_json:
        counts = {"projects": size.projects, "environments": size.environments}
        counts |= {"mocks": size.mocks, "scenarios": size.scenarios}
        print_value({"ok": True, "problems": [], **counts})
        return
    parts = (
        count(size.projects, "project"),
        count(size.environments, "environment"),
        count(size.mocks, "mock"),
        count(size.scenarios, "scenario"),
    )
    typer.echo(f"{file}: {', '.join(parts)}")


async def _diff(
    desk: Desk,
    file: _File,
    *,
    source: _Source = "",
    adopt: _Adopt = False,
    force: _Force = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when anything differs.")] = False,
) -> None:
    """Tell what applying a manifest would change, and change nothing."""
    from understudy_server.cli.manifest_changes import print_changes, summary
    from understudy_server.cli.output import print_json

    answer = await _send(desk, file, source, adopt=adopt, force=force, validate_only=True)
    if desk.as_json:
        print_json(answer)
    else:
        print_changes(answer)
        typer.echo(summary(answer, str(file), is_done=False))
    if exit_code and answer.changes:
        raise typer.Exit(_DIFFERS)


async def _apply(
    desk: Desk, file: _File, *, source: _Source = "", adopt: _Adopt = False, force: _Force = False
) -> None:
    """Make what a manifest declares, whole or not at all, and remove what it declared before and declares no more.

    understudy diff FILE tells before what would change.
    """
    from understudy_server.cli.manifest_changes import print_changes, summary
    from understudy_server.cli.output import print_json

    answer = await _send(desk, file, source, adopt=adopt, force=force, validate_only=False)
    if desk.as_json:
        print_json(answer)
    else:
        print_changes(answer)
        typer.echo(summary(answer, str(file), is_done=True))


async def _dump(
    desk: Desk,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--source", metavar="NAME", help="Only what this source declares.", autocompletion=completing.sources
        ),
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.  \\[default: print it]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file when it is there.")] = False,
) -> None:
    """Write what the server keeps as a manifest; with --project only that project.

    Sessions, activations and keys are not part of it.
    """
    from understudy.v1.manifest_service_pb2 import DumpManifestRequest, DumpManifestResponse

    from understudy_server.cli.output import as_json
    from understudy_server.cli.whole_files import check_is_new, write_whole
    from understudy_server.manifest.writing import write_manifest

    if output and not force:
        check_is_new(output)
    with working("reading what the server keeps"):
        answer = await desk.call(DumpManifestRequest(source=source), DumpManifestResponse, APPLY_TIMEOUT_SECONDS)
        text = as_json(answer.manifest) + "\n" if desk.as_json else write_manifest(answer.manifest)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text, over=force)
    written = f"written to {output}" if output else ""
    # The project may be named by the environment, where nobody thinks of it.
    only = f"only project {desk.project}" if desk.project else ""
    if written or only:
        typer.echo(", ".join(filter(None, (written, only))), err=True)


async def _release(
    desk: Desk,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Name of the source, such as understudy.yaml.",
            show_default=False,
            autocompletion=completing.sources,
        ),
    ],
) -> None:
    """Hand over to the API all that a source declares: it stays as it is, and can be edited."""
    from understudy.v1.manifest_service_pb2 import ReleaseManifestRequest, ReleaseManifestResponse

    from understudy_server.cli.output import count, print_json

    answer = await desk.call(ReleaseManifestRequest(source=source), ReleaseManifestResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"{source}: {count(answer.released, 'resource')} released")


class _Wrong(CommandFailed):
    """A manifest that cannot be used."""

    def __init__(self, file: Path, problems: "tuple[Problem, ...]") -> None:
        told = unusable(STDIN_NAME if str(file) == STDIN else str(file), problems)
        super().__init__(told.exit_code, told.message, told.advice)
        self.problems = problems


def _read(file: Path, *, source: str = "", alone: bool) -> "Read[Manifest]":
    """Read and check a manifest, which is then of the given source, if one is given. Raises CommandFailed."""
    from understudy.v1.manifest_service_pb2 import Manifest

    from understudy_server.cli.checking import problems_of
    from understudy_server.manifest.problems import Unreadable
    from understudy_server.manifest.reading import read_manifest, read_value

    with working(f"reading {file}"):
        try:
            if str(file) == STDIN:
                read = read_value(sys.stdin.read(), STDIN_NAME, Manifest, os.environ, Path.cwd())
            else:
                read = read_manifest(file, os.environ)
        except Unreadable as error:
            raise _Wrong(file, tuple(error.problems)) from error
        read.message.source = source or read.message.source
        found = problems_of(read, alone=alone)
    if found:
        raise _Wrong(file, tuple(found))
    return read


async def _send(
    desk: Desk, file: Path, source: str, *, adopt: bool, force: bool, validate_only: bool
) -> "ApplyManifestResponse":
    """Have a server apply a manifest; what it refuses is told with the place in the file. Raises CommandFailed."""
    from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

    from understudy_server.cli.checking import PREFIX

    read = _read(file, source=source, alone=False)
    request = ApplyManifestRequest(manifest=read.message, adopt=adopt, force=force, validate_only=validate_only)
    try:
        with working(f"{'comparing' if validate_only else 'applying'} {file}"):
            return await desk.call(request, ApplyManifestResponse, APPLY_TIMEOUT_SECONDS)
    except CommandFailed as failure:
        advised = CommandFailed(
            failure.exit_code,
            failure.message,
            _ADVICE.get(failure.reason, failure.advice),
            problem=failure.problem,
        )
        raise pointed(advised, read.marks, PREFIX) from failure


def _as_value(problem: "Problem") -> dict[str, object]:
    mark = problem.mark
    place = {"file": mark.file, "line": mark.line, "column": mark.column}
    return {**place, "field": problem.field, "message": problem.message, "advice": problem.advice}
