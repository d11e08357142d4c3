"""How SQLite finds what a list asks for: by the index that fits the filter, not by looking at all there is."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.records import ENVIRONMENT
from understudy_server.app.ports import MockQuery, SessionQuery
from understudy_server.store.sqlite import SqliteStore
from understudy_server.store.sqlite.connections import connect_reader
from understudy_server.store.sqlite.transaction import SqliteTransaction

Question = Callable[[SqliteTransaction], Awaitable[object]]


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    await (await SqliteStore.open(tmp_path)).close()
    with closing(connect_reader(tmp_path / "control.db")) as opened:
        yield opened


def _searches(connection: sqlite3.Connection, statement: str) -> Iterator[str]:
    for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
        if row[3].startswith(("SEARCH", "SCAN")):
            yield row[3]


@pytest.mark.parametrize(
    ("question", "way_in"),
    [
        (
            lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(alive_at_ms=1), "a", 9),
            "SEARCH session_entry USING INDEX session_entry_by_text (place_id=? AND value>?)",
        ),
        (
            lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(scenario="scn_a"), "a", 9),
            "SEARCH session USING INDEX session_by_scenario (environment_id=? AND scenario_id=?)",
        ),
        (
            lambda tx: tx.sessions(ENVIRONMENT, SessionQuery(override="ovr_a"), "a", 9),
            "SEARCH session_activation USING COVERING INDEX session_activation_by_mock"
            " (environment_id=? AND mock_id=?)",
        ),
        (
            lambda tx: tx.mocks(ENVIRONMENT, MockQuery(), "a", 9),
            "SEARCH mock USING PRIMARY KEY (environment_id=? AND id>?)",
        ),
        (
            lambda tx: tx.mocks(ENVIRONMENT, MockQuery(active=True), "a", 9),
            "SEARCH mock USING PRIMARY KEY (environment_id=? AND id=?)",
        ),
        (
            lambda tx: tx.mocks(ENVIRONMENT, MockQuery(scenario="scn_a"), "a", 9),
            "SEARCH mock USING INDEX mock_by_scenario (environment_id=? AND scenario_id=? AND id>?)",
        ),
        (
            lambda tx: tx.scenarios(ENVIRONMENT, "", (1, "scn_a"), 9, "ovr_a"),
            "SEARCH scenario_mock USING COVERING INDEX scenario_mock_by_mock (environment_id=? AND mock_id=?)",
        ),
    ],
    ids=["sessions", "in a scenario", "with an override", "mocks", "active", "of a scenario", "scenarios of a mock"],
)
async def test_a_filter_is_answered_by_its_index(
    connection: sqlite3.Connection, question: Question, way_in: str
) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    await question(SqliteTransaction(connection))
    connection.set_trace_callback(None)

    steps = list(_searches(connection, statements[-1]))

    assert way_in in steps
    assert [step for step in steps if step.startswith("SCAN") and "subquery" not in step] == []
