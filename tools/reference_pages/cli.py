"""The page about the command line, made of the commands themselves."""

import re
from collections.abc import Iterator
from typing import Any

from reference_pages.text import code, link, page, slug, table
from typer.core import TyperGroup
from typer.main import get_command
from understudy_server.cli import command
from understudy_server.cli.failures import ExitCode
from understudy_server.cli.main import app

_ABOUT = """\
Every command prints a table for people, and JSON with `--json`. What goes wrong is said on the error stream, with
what to do next.
"""
_SHARED = "Options that commands share"
_SHARED_ABOUT = """\
Commands that speak to a server take these too. Without any of them they speak to the server that owns
`./understudy-data`, and open that directory themselves when no server runs on it.
"""
_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.REFUSED: "refused by the server, or a server that could not start",
    ExitCode.USAGE: "used wrongly: an option, a setting or a file",
    ExitCode.NOT_FOUND: "there is no such thing",
    ExitCode.NOT_AUTHORISED: "the key is missing, does not work, or may not do this",
    ExitCode.UNREACHABLE: "no server answers, or it cannot reach its data",
    ExitCode.INCONCLUSIVE: "verify: it cannot be told, because the record is not complete",
}


def write() -> str:
    """The page."""
    return page("Command line", _parts())


def _parts() -> Iterator[str]:
    commands = list(_commands(get_command(app), "understudy"))
    yield _ABOUT
    yield from table(
        ("Command", "What it does"), [(link(name), _first_line(each.help or "")) for name, each in commands]
    )
    yield from ["## Exit codes", ""]
    yield from table(("Exit code", "Means"), [(str(int(each)), _MEANINGS[each]) for each in ExitCode])
    yield from [f"## {_SHARED}", "", _SHARED_ABOUT]
    shared = next(each for _, each in commands if _shares(each))
    yield from _options([each for each in shared.params if each.name in _shared_names()], shared)
    for name, each in commands:
        yield from _command(name, each)


def _command(name: str, each: Any) -> Iterator[str]:
    yield from [f"## {name}", "", _plain(each.help or ""), ""]
    pieces = each.collect_usage_pieces(each.make_context(None, [], resilient_parsing=True))
    yield from ["```text", " ".join([name, *pieces]), "```", ""]
    own = [param for param in each.params if not (_shares(each) and param.name in _shared_names())]
    yield from _options(own, each)
    if _shares(each):
        yield from [f"And the [options that commands share](#{slug(_SHARED)}).", ""]


def _options(params: list[Any], of: Any) -> list[str]:
    """A table of arguments and options, as the help has them."""
    context = of.make_context(None, [], resilient_parsing=True)
    records = [record for each in params if (record := each.get_help_record(context))]
    return table(("Option", "What it is"), [(code(name), _plain(text)) for name, text in records])


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(group, TyperGroup):
        yield name, group
        return
    for word, each in group.commands.items():
        if not each.hidden:
            yield from _commands(each, f"{name} {word}")


def _shares(each: Any) -> bool:
    return _shared_names() <= {param.name for param in each.params}


def _shared_names() -> set[str | None]:
    return {each.name for each in command._SHARED}


def _first_line(text: str) -> str:
    return _plain(text).split("\n", 1)[0]


def _plain(text: str) -> str:
    """Help without the marks that are for terminals."""
    return re.sub(r"\s*\n\n\s*", "\n\n", text.replace("\\[", "[").replace("\f", "")).strip()
