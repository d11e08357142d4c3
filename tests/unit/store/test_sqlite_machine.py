from hypothesis import HealthCheck, settings
from support.brief import BrieflyWritten
from support.store_machine import StoreMachine
from understudy_server.store.sqlite import SqliteStore


class _SqliteMachine(StoreMachine):
    opener = SqliteStore.open


class _BriefMachine(StoreMachine):
    opener = BrieflyWritten.open


_SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

TestSqliteStoreAgainstPlainDictionaries = _SqliteMachine.TestCase
TestSqliteStoreAgainstPlainDictionaries.settings = _SETTINGS
TestSqliteStoreThatWritesBriefly = _BriefMachine.TestCase
TestSqliteStoreThatWritesBriefly.settings = _SETTINGS
