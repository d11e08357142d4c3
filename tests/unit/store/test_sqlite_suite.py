import pytest
from support.brief import BrieflyWritten
from support.store_steps import Opener
from support.store_suite import StoreSuite
from understudy_server.store.sqlite import SqliteStore


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def open_store(self) -> Opener:
        return SqliteStore.open


class TestSqliteStoreThatWritesBriefly(StoreSuite):
    @pytest.fixture
    def open_store(self) -> Opener:
        return BrieflyWritten.open
