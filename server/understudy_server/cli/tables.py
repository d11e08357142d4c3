"""Laying out a table of plain text: columns that give way where there is little room, and cells folded at words."""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

GAP = "  "
_BREAKABLE_LEAST = 10
"""A column of fewer characters than that breaks words where they cannot be read any more."""
# A piece ends behind what words, paths and queries are divided by; a path begins with a slash.
_PIECES = re.compile(r"/?[^ /&?=,]*[/&?=,]*[ ]?")


def without_empty(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Leave out the columns, but for the first, that are empty in every row."""
    kept = [number for number in range(len(columns)) if number == 0 or any(row[number] for row in rows)]
    return [columns[number] for number in kept], [[row[number] for number in kept] for row in rows]


def widths_of(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The width of each column, all together at most ``room`` with gaps; ``None`` when there is too little of it.

    What comes first is a name to copy and stays whole.
    """
    table = [columns, *rows]
    wanted = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    longest = [
        max(cell_len(piece) for cell in column for piece in _pieces(cell)) for column in zip(*table, strict=True)
    ]
    least = [min(want, max(word, 1), _BREAKABLE_LEAST) for want, word in zip(wanted, longest, strict=True)]
    least[0] = wanted[0]
    spare = room - sum(least) - len(GAP) * (len(least) - 1)
    return None if spare < 0 else _spread(least, wanted, spare)


def _spread(least: Sequence[int], wanted: Sequence[int], spare: int) -> list[int]:
    """Give columns what they want beyond the least, as far as there is something to spare: the modest ones first."""
    widths = list(least)
    order = sorted(range(len(least)), key=lambda number: wanted[number] - least[number])
    for place, number in enumerate(order):
        # Who comes later wants at least as much: what is spare now is shared with those.
        more = min(wanted[number] - least[number], spare // (len(order) - place))
        widths[number] += more
        spare -= more
    return widths


def lines_of(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """A row as lines without blanks at their ends."""
    cells = [fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = (part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True))
        yield GAP.join(padded).rstrip()


def fold(text: str, width: int) -> list[str]:
    """Text in lines of a width: between words, behind what divides paths, and within a word only where it must be."""
    lines, line = [], ""
    for piece in _pieces_kept(text):
        if cell_len((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line:
            lines.append(line.rstrip())
        line = piece
        while cell_len(line.rstrip()) > width:
            cut = _fitting(line, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()]


def _pieces_kept(text: str) -> list[str]:
    return [piece for piece in _PIECES.findall(text) if piece]


def _pieces(text: str) -> list[str]:
    return [piece.rstrip() for piece in _pieces_kept(text)] or [""]


def _fitting(text: str, width: int) -> int:
    """How many characters of a text fit into a width; one always does."""
    used = 0
    for number, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return max(number, 1)
    return len(text)
