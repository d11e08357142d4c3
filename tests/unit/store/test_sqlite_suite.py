import pytest
from support.brief import new_brief_store
from support.new_store import new_store
from support.store_steps import Opener
from support.store_suite import StoreSuite


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def open_store(self) -> Opener:
        return new_store


class TestSqliteStoreThatWritesBriefly(StoreSuite):
    @pytest.fixture
    def open_store(self) -> Opener:
        return new_brief_store
