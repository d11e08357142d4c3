"""Each row of the tables about templates is run, and everything that there is has a row."""

import re
from pathlib import Path

import pytest
from support.answering import SESSION, rendered, scene
from understudy_server.core.responding.fake_data import FAKES
from understudy_server.core.responding.template_functions import FUNCTIONS
from understudy_server.core.responding.template_request import PARTS
from understudy_server.core.responding.templates import LANGUAGE
from understudy_server.core.templating.checks import TESTS
from understudy_server.core.templating.filters import FILTERS
from understudy_server.core.templating.standard import STANDARD
from understudy_server.state.memory import MemoryState

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/concepts/templates.md").read_text(encoding="utf-8")

# A bar within a cell is written with a backslash, in code, too: else it ends the cell where the page is rendered.
_CELL = re.compile(r"(?:\\\||[^|])+")
_ROW = re.compile(r"^\| `.*\|$", re.MULTILINE)

STATE = MemoryState()
STATE.set_value(SESSION, "order.id", 5)
SCENE = scene(
    "/users/7?page=2&tag=a&tag=b",
    method="POST",
    headers={"x-id": "r-1", "cookie": "sid=abc"},
    body=b'{"name": "Bo", "items": [3, 1, 2]}',
    parameters={"id": "7"},
    state=STATE,
)._replace(now_ms=1_782_216_000_000)


def rows(heading: str) -> dict[str, list[str]]:
    """The rows below a heading: what is in code in each, by the first of it."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [
        [cell.strip().replace(r"\|", "|") for cell in _CELL.findall(row) if cell.strip()]
        for row in _ROW.findall(section)
    ]
    return {row[0].strip("`"): row for row in found}


SHOWN = ["What a template can speak of", "Functions", "Filters", "Tags"]


@pytest.mark.parametrize("row", [row for heading in SHOWN for row in rows(heading).values()], ids=lambda row: row[0])
def test_a_row_makes_what_it_says(row: list[str]) -> None:
    assert len(row) == 4
    assert rendered(row[2][1:-1], SCENE) == row[3][1:-1]


@pytest.mark.parametrize("row", rows("Tests").values(), ids=lambda row: row[0])
def test_the_example_of_a_test_holds(row: list[str]) -> None:
    assert rendered(row[2][1:-1], SCENE) == "True"


def test_everything_there_is_has_a_row() -> None:
    assert {name.split(".")[1] for name in rows(SHOWN[0]) if name.startswith("request.")} == set(PARTS)
    assert {name.split(".")[0] for name in rows(SHOWN[0])} | {"fake"} == set(LANGUAGE.roots)
    assert set(rows("Functions")) == {*FUNCTIONS, *STANDARD}
    assert set(rows("Filters")) == {*FILTERS, *LANGUAGE.filters}
    assert set(rows("Tests")) == set(TESTS)


def test_every_kind_of_made_up_data_is_named_once() -> None:
    table = PAGE.split("\n## Made-up data\n")[1].split("\n## ")[0].split("|---|---|\n")[1].split("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", table)) == sorted(FAKES)
