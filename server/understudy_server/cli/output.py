"""What commands print: tables for people, JSON for scripts."""

from collections.abc import Iterable, Sequence
from typing import Any

import typer
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from rich.text import Text
from understudy_gateway.transcoding.json_encode import Encoders, dump

_NONE = "-"
_LINE_MAX = 10_000


def print_json(message: Message) -> None:
    """Print a message as JSON, just as REST writes it."""
    descriptor: Any = message.DESCRIPTOR
    members = Encoders().of(descriptor).value(message)
    typer.echo(dump(members))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows of plain text under their columns, or ``empty`` when there are none. An empty cell shows a dash."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        # What stands first is a name to copy; the rest gives way where the terminal is narrow.
        table.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell) or _NONE) for cell in row))
    if table.row_count:
        console = Console()
        if not console.is_terminal:
            # What another program reads is one line a row, however long.
            console.width = max(console.measure(table, options=console.options.update(width=_LINE_MAX)).maximum, 1)
        console.print(table)
    else:
        typer.echo(empty)


def visible(text: str) -> str:
    """Text that a stranger may have stored, safe for a terminal: control characters are spelled out."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_next(option: str, token: str) -> None:
    """Say how to ask for the next page, when there is one."""
    if token:
        typer.echo(f"More: {option} {token}")


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one pair to a line; an empty value shows a dash."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        typer.echo(f"{name:<{width}}  {visible(value) or _NONE}")


def moment(stamp: Timestamp, *, known: bool) -> str:
    """A moment in UTC to the millisecond, or nothing when it is not known."""
    return stamp.ToJsonString() if known else ""
