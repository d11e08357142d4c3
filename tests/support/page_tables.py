"""The tables of a page, as what renders it reads them.

A bar within a cell is written ``\\|``, in code, too: one that is not ends the cell, and then the row has one too many.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BAR = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"(?P<ticks>`+)(?P<text>.+?)(?P=ticks)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One row: ``section`` is the heading above its table, ``line`` where it stands. Cells are by their column."""

    section: str
    line: int
    cells: dict[str, str]

    def code(self, column: str) -> list[str]:
        """What is set as code in a cell, in order."""
        return [found["text"].strip() for found in _CODE.finditer(self.cells[column])]


def read_tables(path: Path) -> list[Row]:
    """The rows of all tables of a page. Raises ``ValueError`` for one that has more or fewer cells than its head."""
    text = _FENCED.sub(lambda found: "\n" * found[0].count("\n"), path.read_text(encoding="utf-8"))
    return list(_rows(text.splitlines(), path))


def _rows(lines: Sequence[str], path: Path) -> Iterator[Row]:
    section, columns = "", [""]
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            section = line.lstrip("#").strip()
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = _cells(line)
        elif set(line) - set("|-: "):
            cells = _cells(line)
            if len(cells) != len(columns):
                raise ValueError(f"{path}:{number}: {len(cells)} cells in a table of {len(columns)} columns")
            yield Row(section, number, dict(zip(columns, cells, strict=True)))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in _BAR.split(inner)]
