"""What is asked of the journal on disk, and what it does for each batch, looks at few rows however many there are."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.journal_model import PlainRules, exchange
from understudy_server.core.exchange import Exchange
from understudy_server.core.ids import IdMaker
from understudy_server.core.record import Quota, Stream
from understudy_server.journal import migrations, questions, segments
from understudy_server.journal.doubt import Doubt
from understudy_server.journal.ledger import SLICE, Ledger
from understudy_server.journal.rules import DiskLimits
from understudy_server.journal.sweeping import forget, sweep
from understudy_server.store.sqlite.migrations import migrate

_SESSION = Stream("env_1", "ci-ses_1", "ses_1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    migrate(connection, migrations.journal)
    yield connection
    connection.close()


def _ledger(rules: PlainRules | None = None) -> Ledger:
    return Ledger(rules or PlainRules(), DiskLimits(), Doubt())


def _scans(connection: sqlite3.Connection, work: Callable[[], object]) -> list[str]:
    """The steps of all statements of some work that look at a whole table."""
    said: list[str] = []
    connection.set_trace_callback(said.append)
    work()
    connection.set_trace_callback(None)
    asked = [each for each in said if each.startswith(("SELECT", "DELETE", "UPDATE"))]
    plans = [step[3] for each in asked for step in connection.execute(f"EXPLAIN QUERY PLAN {each}")]
    # Rows that a statement brings along are in no table.
    brought = re.compile(r"SCAN (CONSTANT ROW|\(subquery|\d+-ROW VALUES)")
    return [each for each in plans if each.startswith("SCAN") and not brought.match(each)]


@pytest.mark.parametrize("session_id", ["ses_1", ""])
@pytest.mark.parametrize(
    "bounds", [{"before": "", "since": ""}, {"before": "log_3", "since": ""}, {"before": "", "since": "log_1"}]
)
def test_a_page_is_looked_up(connection: sqlite3.Connection, session_id: str, bounds: dict[str, str]) -> None:
    _ledger().append(connection, [exchange(number, session_id) for number in range(1, 9)], {})

    assert not _scans(connection, lambda: questions.page(connection, "env_1", f"ci-{session_id}", limit=2, **bounds))


def test_all_other_questions_are_looked_up(connection: sqlite3.Connection) -> None:
    _ledger().append(connection, [exchange(number, "ses_1") for number in range(1, 9)], {})

    def ask() -> None:
        questions.read(connection, _SESSION, 2, 3)
        questions.exchange(connection, "log_00000001")
        questions.knows(connection, "env_1", "other")
        questions.latest_stream(connection, "env_1", "ci-ses_1")
        questions.streams(connection, "env_1", "ci-ses_1")

    assert not _scans(connection, ask)


def test_a_batch_that_makes_room_touches_what_it_concerns(connection: sqlite3.Connection) -> None:
    rules = PlainRules(Quota(5, 1 << 40, 8, 1 << 40, 1 << 40), {"ses_1"})
    ledger = _ledger(rules)
    ledger.append(connection, [exchange(number, "ses_1") for number in range(1, 9)], {})
    batch = [exchange(number, "ses_2") for number in range(9, 16)]

    assert not _scans(connection, lambda: ledger.append(connection, batch, {}))


def test_a_sweep_touches_what_is_old(connection: sqlite3.Connection) -> None:
    rules = PlainRules(Quota(100, 1 << 40, 100, 1 << 40, 1), {"ses_1"})
    ledger = _ledger(rules)
    ledger.append(connection, [exchange(number, "ses_1") for number in range(1, 9)], {})

    def work() -> None:
        sweep(connection, ledger, 1 << 40)
        forget(connection, ledger, 1 << 40)

    # The streams of which nothing is kept are looked through from the one quiet for longest, and counted.
    assert all("stream_emptied" in each for each in _scans(connection, work))


def test_what_has_ended_is_forgotten_behind_any_number_of_sessions_that_go_on(connection: sqlite3.Connection) -> None:
    rules = PlainRules(Quota(0, 0, 0, 0, 1), {f"ses_{SLICE + 5}"})
    ledger = _ledger(rules)
    ledger.append(connection, [exchange(number, f"ses_{number}") for number in range(1, SLICE + 10)], {})

    first = forget(connection, ledger, 1 << 40)
    assert first is not None
    assert forget(connection, ledger, 1 << 40, first) is None

    (left,) = connection.execute("SELECT count(*) FROM stream").fetchone()
    assert left == SLICE + 8


def test_a_stream_that_is_said_to_be_older_than_it_is_is_looked_at_once(connection: sqlite3.Connection) -> None:
    ledger = _ledger(PlainRules(Quota(100, 1 << 40, 100, 1 << 40, 1_000), {"ses_1"}))
    ledger.append(connection, [exchange(number, "ses_1") for number in range(1, 9)], {})
    connection.execute("UPDATE stream SET first_ms = 1")
    ledger = _ledger(PlainRules(Quota(100, 1 << 40, 100, 1 << 40, 1_000), {"ses_1"}))

    swept = [sweep(connection, ledger, 2_000) for _ in range(2)]

    # The first exchange ended in second 1, and nothing is older than that.
    assert [(dict(lost), more) for lost, more in swept] == [({}, True), ({}, False)]


def test_who_follows_a_key_looks_at_no_session_that_ended_long_before(connection: sqlite3.Connection) -> None:
    """Of those there may be thousands; `log_` ids as they are made tell when."""
    new_id = IdMaker(lambda: 1_000_000_000)
    old = [exchange(number, f"ses_{number}")._replace(session_key="ci") for number in range(1, 40)]
    last = exchange(40, "ses_40")._replace(id=new_id("log_"), session_key="ci", started_at_ms=1_000_000_000)
    _ledger().append(connection, [*old, last], {})
    said: list[str] = []
    connection.set_trace_callback(said.append)

    found = questions.page(connection, "env_1", "ci", before="", since=last.id, limit=10)

    connection.set_trace_callback(None)
    assert found == []
    assert len([each for each in said if "FROM segment" in each]) < 20


def test_a_segment_that_is_read_a_few_at_a_time_is_decoded_once(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    decode = segments._DECODER.decode

    def noted(content: bytes) -> list[Exchange]:
        decoded.append(len(content))
        return decode(content)

    monkeypatch.setattr(segments, "_DECODER", SimpleNamespace(decode=noted))
    _ledger().append(connection, [exchange(number, "ses_1") for number in range(1, 201)], {})

    read = [each.number for after in range(0, 200, 10) for each in questions.read(connection, _SESSION, after, 10)]

    assert read == list(range(1, 201))
    assert len(decoded) == 2
