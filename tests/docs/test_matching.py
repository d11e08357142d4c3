"""The page on matching shows every part and every test, each with what it holds for and what it does not hold for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.message_fields import all_fields, used_fields
from support.page_tables import Row, read_tables
from support.shown_mocks import Shown, read_mock, shown_mocks
from understudy.v1.matching_pb2 import Criterion, RequestMatcher, Selection
from understudy_server.manifest.reading import read_value

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "matching.md"
ROWS = {
    f"{row.code(next(iter(row.cells)))[0]}-{row.line}": row
    for row in read_tables(PAGE)
    if row.section in ("Parts", "Tests")
}
PARTS = [name for name, row in ROWS.items() if row.section == "Parts"]
TESTS = [name for name, row in ROWS.items() if row.section == "Tests"]
NOTHING = "nothing"


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    mocks = {
        f"ovr_{name}": read_mock(f"matcher: {_matcher_text(row)}\naction: {{respond: {{text: matched}}}}\n")
        for name, row in ROWS.items()
    }
    with shown_mocks(mocks) as running:
        yield running


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("column", "holds"), [("Is for", True), ("Is not for", False)])
def test_a_part_is_for_the_request_that_is_shown_and_not_for_the_other(
    shown: Shown, name: str, column: str, *, holds: bool
) -> None:
    shows = ROWS[name].code(column)
    state = {shows[0]: shows[1]} if len(shows) == 2 else {}
    answer = shown.ask("/" if state else shows[0], shown.session(f"ovr_{name}", state))
    assert (answer.body == b"matched") is holds


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize(("column", "holds"), [("Holds for", True), ("Not for", False)])
def test_a_test_holds_for_the_body_that_is_shown_and_not_for_the_other(
    shown: Shown, name: str, column: str, *, holds: bool
) -> None:
    body = "" if ROWS[name].cells[column] == NOTHING else ROWS[name].code(column)[0]
    answer = shown.post(body.encode(), shown.session(f"ovr_{name}"))
    assert (answer.body == b"matched") is holds


@pytest.mark.parametrize("name", ROWS)
def test_an_example_is_of_what_its_row_is_about(name: str) -> None:
    row = ROWS[name]
    kind = RequestMatcher if row.section == "Parts" else Criterion
    message = read_value(_example(row), "the page", kind, {}).message
    about = name.partition("-")[0]
    assert about in {field.json_name for field, _ in message.ListFields()}


def test_every_part_test_and_option_is_shown() -> None:
    used = {field for row in ROWS.values() for field in used_fields(read_mock(f"matcher: {_matcher_text(row)}"))}
    assert all_fields(RequestMatcher) - used == set()
    about = {name.partition("-")[0] for name in ROWS}
    fields = [*RequestMatcher.DESCRIPTOR.fields, *Criterion.DESCRIPTOR.fields]
    assert {field.json_name for field in fields} - about == set()


def test_every_selection_is_shown() -> None:
    selections = {value.removeprefix("SELECTION_").lower() for value in dict(Selection.items())} - {"unspecified"}
    assert {
        each for each in selections if not any(f"select: {each}" in _example(row) for row in ROWS.values())
    } == set()


def _example(row: Row) -> str:
    return row.code("Example")[0]


def _matcher_text(row: Row) -> str:
    return _example(row) if row.section == "Parts" else f"{{body: {_example(row)}}}"
