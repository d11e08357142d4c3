"""What a command may do only where a person sits at a terminal: ask, and show that it works."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


def on_terminal() -> bool:
    """True when a person can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, *, default: bool = False) -> bool:
    """Ask yes or no. An input that ends and Ctrl-C are a no."""
    try:
        return typer.confirm(question, default=default, err=True)
    except typer.Abort:
        typer.echo(err=True)
        return False


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal's error stream that the command works, as long as the block runs; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
