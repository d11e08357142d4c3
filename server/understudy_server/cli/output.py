"""What commands print: tables for people, JSON for scripts."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text
from understudy_gateway.transcoding.json_encode import Encoders, dump

from understudy_server.cli.tables import lines_of, widths_of, without_empty

_NONE = "-"


def print_json(message: Message) -> None:
    """Print a message as JSON, just as REST writes it."""
    typer.echo(as_json(message))


def as_json(message: Message) -> str:
    """A message as JSON, in one line."""
    descriptor: Any = message.DESCRIPTOR
    return dump(Encoders().of(descriptor).value(message)).decode()


def print_value(value: Any) -> None:
    """Print a plain value as JSON."""
    typer.echo(dump(value))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows of plain text under their columns, or ``empty`` when there are none. An empty cell shows a dash.

    What comes first is a name to copy and stays whole; the rest gives way where the terminal is narrow, and a column
    that says nothing is left out there. Where not even that leaves room, each row becomes a record of lines, so that
    nothing is lost. What another program reads is one line a row, however long, with all columns.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    if not cells:
        typer.echo(empty)
        return
    console = Console()
    names, room = list(columns), console.width
    if console.is_terminal:
        names, cells = without_empty(columns, cells)
    else:
        room = sys.maxsize
    shown = [[cell or _NONE for cell in row] for row in cells]
    widths = widths_of(names, shown, room)
    if widths is None:
        _print_records(console, names, cells)
        return
    for line in lines_of(names, widths):
        console.print(Text(line, style="bold"), soft_wrap=True)
    for row in shown:
        for line in lines_of(row, widths):
            console.print(Text(line), soft_wrap=True)


def _print_records(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(map(cell_len, columns[1:]), default=0)
    for first, *others in rows:
        console.print(Text(first, style="bold"), soft_wrap=True)
        for column, cell in zip(columns[1:], others, strict=True):
            if cell:
                console.print(Text(f"  {column.lower():<{width}}  {cell}"), soft_wrap=True)


def visible(text: str) -> str:
    """Text that a stranger may have stored, safe for a terminal: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_yaml(message: Message) -> None:
    """Print a message in the form of ``understudy.yaml``, apart from what is above it; nothing for an empty one."""
    from understudy_server.manifest.writing import write_value

    if message.ListFields():
        typer.echo()
        typer.echo(write_value(message), nl=False)


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines of (text, style of rich's): in colour where the terminal has colours, and however wide they are."""
    console = Console()
    if console.is_terminal:
        # All in one: there may be thousands, and each call costs a hundred times what its line does.
        shown = [Text(visible(text), style=style) for text, style in lines]
        console.print(Text("\n").join(shown), soft_wrap=True)
    else:
        typer.echo("\n".join(visible(text) for text, _ in lines))


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 mock``, ``2 mocks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


def short_moment(stamp: Timestamp, *, known: bool) -> str:
    """A moment in UTC to the second, for a column: ``2026-06-23 12:00:00Z``; nothing when it is not known."""
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%SZ") if known else ""
