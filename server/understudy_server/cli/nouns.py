"""The command line ``understudy``, built of its nouns.

Help is read often and must be quick: of the nouns (``understudy mock ...``) only the one that is named is built, the
others have just their line in the list.
"""

import importlib
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from understudy_server.cli import demo_command, explain, logs, manifests, replay, schema, serving, status, verify

_PURPOSE = "A control plane for test state: one session key on a request selects mocks, scenarios, delays and faults."
NOUNS = {
    "session": ("session_commands", "Read, set and tear down sessions."),
    "override": ("overrides", "Switch one mock on or off for a session."),
    "scenario": ("scenarios", "Make, change and look up scenarios."),
    "mock": ("mocks", "Make, change, publish and switch on mocks."),
    "session-mock": ("session_mocks", "Make, look up and remove mocks that one session owns."),
    "file": ("stored_files", "Put, read and remove files that mocks answer with."),
    "state": ("state", "Read, set and clear what requests leave behind."),
    "flag": ("flag_commands", "Make, set, evaluate and remove feature flags."),
    "flag-session": ("flag_sessions", "Make, set and end sessions of a whole project, which carry flags."),
    "environment": ("environments", "Make, change and remove environments."),
    "project": ("projects", "Make, change and remove projects."),
    "key": ("keys", "Make, list and revoke API keys."),
}
"""The module of each noun, whose ``app`` has its commands, and what it is for."""


class _Commands(TyperGroup):
    """The command line. What checks values for it says first that it is about a value, in words of programmers."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as bad:
            bad.message = bad.message.removeprefix("Value error, ")
            raise


def build(nouns: Sequence[str]) -> typer.Typer:
    """Build the command line, with the commands of these nouns only."""
    app = typer.Typer(
        name="understudy",
        cls=_Commands,
        help=_PURPOSE,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for each in (serving, demo_command, logs, verify, explain, replay, status, schema, manifests):
        each.add_to(app)
    app.command("version")(_version)
    for noun, (module, purpose) in NOUNS.items():
        commands = importlib.import_module(f"understudy_server.cli.{module}").app if noun in nouns else typer.Typer()
        app.add_typer(commands, name=noun, help=purpose, no_args_is_help=True)
    return app


@cache
def whole() -> typer.Typer:
    """Build all of it."""
    return build(tuple(NOUNS))


def _version(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Print the version."""
    from importlib.metadata import version as version_of

    number = version_of("understudy-server")
    typer.echo(f'{{"version": "{number}"}}' if as_json else f"understudy {number}")
