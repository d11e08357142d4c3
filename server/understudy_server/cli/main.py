"""The command ``understudy``."""

from typing import Annotated

import typer

from understudy_server.cli import demo_command, keys, logs, overrides, scenarios, serving, sessions

app = typer.Typer(
    name="understudy",
    help="A control plane for test state: one session key on a request selects mocks, scenarios, delays and faults.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
serving.add_to(app)
demo_command.add_to(app)
app.add_typer(sessions.app, name="session")
app.add_typer(overrides.app, name="override")
app.add_typer(scenarios.app, name="scenario")
logs.add_to(app)
app.add_typer(keys.app, name="key")


@app.command()
def version(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Print the version."""
    from importlib.metadata import version as version_of

    number = version_of("understudy-server")
    typer.echo(f'{{"version": "{number}"}}' if as_json else f"understudy {number}")


def main() -> None:
    """Run the command line."""
    app(prog_name="understudy")
