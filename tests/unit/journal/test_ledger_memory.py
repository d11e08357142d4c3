"""What the ledger keeps in memory: the accounts of sessions that go on, however many came and went."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_model import PlainRules, exchange
from understudy_server.core.record import Stream
from understudy_server.journal import accounts, migrations
from understudy_server.journal.doubt import Doubt
from understudy_server.journal.ledger import Ledger
from understudy_server.journal.rules import DiskLimits
from understudy_server.store.sqlite.migrations import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    migrate(connection, migrations.journal)
    yield connection
    connection.close()


def test_accounts_of_sessions_that_ended_are_let_go_of_and_numbers_go_on(connection: sqlite3.Connection) -> None:
    rules = PlainRules()
    ledger = Ledger(rules, DiskLimits(), Doubt())
    most = 0
    for number in range(1, 3_001):
        ledger.append(connection, [exchange(number, f"ses_{number}")], {})
        rules.ended.add(f"ses_{number}")
        most = max(most, len(ledger._accounts))

    ledger.append(connection, [exchange(3_001, "ses_1")], {})

    assert most <= 501
    account = accounts.find(connection, Stream("env_1", "ci-ses_1", "ses_1"))
    assert account is not None
    assert (account.last_number, account.kept) == (2, 2)


def test_accounts_of_sessions_that_go_on_stay(connection: sqlite3.Connection) -> None:
    ledger = Ledger(PlainRules(), DiskLimits(), Doubt())

    ledger.append(connection, [exchange(number, f"ses_{number}") for number in range(1, 2_001)], {})
    ledger.append(connection, [exchange(2_001, "ses_1")], {})

    assert len(ledger._accounts) == 2_000
