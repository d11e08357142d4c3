"""``understudy demo``: the main job, played and checked."""

import typer

from understudy_server.cli.command import finish


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(_demo)


def _demo() -> None:
    """Play the main job on a throw-away server and show each step.

    Ends with 0, or with 1 and the name of the step that failed.
    """
    finish(_run)


def _run() -> None:
    import asyncio

    import uvloop

    from understudy_server.cli.demo import play

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play(typer.echo))
