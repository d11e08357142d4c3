"""``understudy check``, ``diff``, ``apply``, ``dump`` and ``release``: what is kept in files."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.asking import working
from understudy_server.cli.command import Desk, command, finish
from understudy_server.cli.failures import CommandFailed
from understudy_server.cli.forms import STDIN, STDIN_NAME, unusable

if TYPE_CHECKING:
    # Messages take long to import, and help needs none of them.
    from understudy.v1.manifest_service_pb2 import ApplyManifestResponse, Manifest

    from understudy_server.manifest.problems import Problem
    from understudy_server.manifest.reading import Read

APPLY_TIMEOUT_SECONDS = 300.0
"""A large manifest takes a while, and whoever gives up on it does not know whether it is in force."""

_DIFFERS = 1
_SHOWN_MAX = 100
_ANY_SOURCE = "understudy.yaml"
"""Stands for the source of what comes without one and is only checked."""

_File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The file, such as understudy.yaml; - is the standard input.", show_default=False
    ),
]
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
    """Check a manifest and its `server:` without a server. Ends with 2 when anything is wrong with it."""
    finish(lambda: _check_file(file, as_json=as_json))


def _check_file(file: Path, *, as_json: bool) -> None:
    from understudy_server.cli.checking import size_of
    from understudy_server.cli.output import count, print_value

    try:
        read = _read(file, alone=True)
    except _Wrong as wrong:
        if as_json:
            _print_problems([_as_value(problem) for problem in wrong.problems])
            raise typer.Exit(wrong.exit_code) from wrong
        raise
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
    typer.echo(f"{_name(file)}: {', '.join(parts)}")


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
    answer = await _send(desk, file, source, adopt=adopt, force=force, validate_only=True)
    _show(desk, answer, file, is_done=False)
    if exit_code and answer.changes:
        raise typer.Exit(_DIFFERS)


async def _apply(
    desk: Desk, file: _File, *, source: _Source = "", adopt: _Adopt = False, force: _Force = False
) -> None:
    """Make what a manifest declares, whole or not at all, and remove what it declared before and declares no more.

    understudy diff FILE tells before what would change.
    """
    answer = await _send(desk, file, source, adopt=adopt, force=force, validate_only=False)
    _show(desk, answer, file, is_done=True)


def _show(desk: Desk, answer: "ApplyManifestResponse", file: Path, *, is_done: bool) -> None:
    """Print what was changed, or what would be."""
    from understudy_server.cli.manifest_changes import print_changes, summary
    from understudy_server.cli.output import print_json

    if desk.as_json:
        print_json(answer)
    else:
        print_changes(answer)
        typer.echo(summary(answer, _name(file), is_done=is_done))


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
    force: Annotated[
        bool, typer.Option("--force", help="Write over the file when it is there, but for its `server:`.")
    ] = False,
) -> None:
    """Write what the server keeps as a manifest; with --project only that project.

    Sessions, activations and keys are not part of it. What was made through the API is the file's own once the file was
    applied: understudy apply FILE --adopt.
    """
    from understudy.v1.manifest_service_pb2 import DumpManifestRequest, DumpManifestResponse

    from understudy_server.cli.kept_section import section_of, with_section
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
        write_whole(output, with_section(text, section_of(output), as_json=desk.as_json), over=force)
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


def _name(file: Path) -> str:
    return STDIN_NAME if str(file) == STDIN else str(file)


class _Wrong(CommandFailed):
    """A manifest that cannot be used."""

    def __init__(self, file: Path, problems: "tuple[Problem, ...]") -> None:
        told = unusable(_name(file), problems)
        super().__init__(told.exit_code, told.message, told.advice)
        self.problems = problems


def _read(file: Path, *, source: str = "", alone: bool) -> "Read[Manifest]":
    """Read a manifest, which is then of the given source, if one is given. Raises CommandFailed.

    ``alone``: no server will check it, so it is checked here; what comes without a name needs no source then.
    """
    from understudy.v1.manifest_service_pb2 import Manifest

    from understudy_server.manifest.problems import Unreadable
    from understudy_server.manifest.reading import read_manifest, read_value

    with working(f"reading {_name(file)}"):
        typed = sys.stdin.read() if str(file) == STDIN else None
        try:
            if typed is not None:
                read = read_value(typed, STDIN_NAME, Manifest, os.environ, Path.cwd())
            else:
                read = read_manifest(file, os.environ)
        except Unreadable as error:
            from understudy_server.cli.checking import all_problems_of

            found = all_problems_of(error)
        else:
            read.message.source = source or read.message.source or (_ANY_SOURCE if alone else "")
            found = _problems_alone(read) if alone else ()
        if alone:
            found = _with_settings(file, typed, found)
    if found:
        raise _Wrong(file, tuple(found))
    return read


def _problems_alone(read: "Read[Manifest]") -> "Sequence[Problem]":
    from understudy_server.cli.checking import problems_of

    return problems_of(read, alone=True)


def _with_settings(file: Path, typed: str | None, found: "Sequence[Problem]") -> "Sequence[Problem]":
    """What is wrong with a manifest, and with the settings that stand beside it; ``typed`` is the standard input."""
    from understudy_server.cli.checking import in_order
    from understudy_server.cli.checking_settings import problems_in_file, problems_in_text

    settings = problems_in_file(file) if typed is None else problems_in_text(typed, STDIN_NAME)
    if found:
        # A file that is no YAML was told already.
        settings = [each for each in settings if each.field]
    return in_order([*found, *settings], _name(file))


async def _send(
    desk: Desk, file: Path, source: str, *, adopt: bool, force: bool, validate_only: bool
) -> "ApplyManifestResponse":
    """Have a server apply a manifest; what it refuses is told with the place in the file, and printed for scripts.

    Raises CommandFailed.
    """
    from understudy_server.cli.manifest_refusals import ManifestRefused

    try:
        return await _ask(desk, file, source, adopt=adopt, force=force, validate_only=validate_only)
    except _Wrong as wrong:
        if desk.as_json:
            _print_problems([_as_value(problem) for problem in wrong.problems])
            raise typer.Exit(wrong.exit_code) from wrong
        raise
    except ManifestRefused as refusal:
        if desk.as_json:
            problems = [{"code": each.code, **_as_value(each.problem)} for each in refusal.refused]
            _print_problems(problems, untold=refusal.untold)
            raise typer.Exit(refusal.exit_code) from refusal
        raise


async def _ask(
    desk: Desk, file: Path, source: str, *, adopt: bool, force: bool, validate_only: bool
) -> "ApplyManifestResponse":
    from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

    from understudy_server.cli.manifest_refusals import refused_manifest

    read = _read(file, source=source, alone=False)
    request = ApplyManifestRequest(manifest=read.message, adopt=adopt, force=force, validate_only=validate_only)
    # What is applied has been compared before, or nobody wanted to know: then thousands of lines would only take time.
    request.changes_max = 0 if validate_only or desk.as_json else _SHOWN_MAX
    try:
        with working(f"{'comparing' if validate_only else 'applying'} {_name(file)}"):
            return await desk.call(request, ApplyManifestResponse, APPLY_TIMEOUT_SECONDS)
    except CommandFailed as failure:
        from understudy_server.cli.checking import problems_of

        # The server has looked for the same, and tells the first alone of the limits of fields. Before it is asked that
        # would only cost time: a quarter of what applying 5 000 mocks takes.
        if found := problems_of(read):
            raise _Wrong(file, tuple(found)) from failure
        raise refused_manifest(failure, _name(file), read) from failure


def _print_problems(problems: Sequence[Mapping[str, object]], *, untold: int = 0) -> None:
    """Print for scripts what is wrong with a manifest; ``untold`` is how many problems there are beside these."""
    from understudy_server.cli.output import print_value

    print_value({"ok": False, "problems": problems, **({"untold": untold} if untold else {})})


def _as_value(problem: "Problem") -> dict[str, object]:
    mark = problem.mark
    place = {"file": mark.file, "line": mark.line, "column": mark.column}
    return {**place, "field": problem.field, "message": problem.message, "advice": problem.advice}
