from hypothesis import HealthCheck, settings
from support.store_machine import StoreMachine
from understudy_server.store.sqlite import SqliteStore


class _SqliteMachine(StoreMachine):
    opener = SqliteStore.open


TestSqliteStoreAgainstPlainDictionaries = _SqliteMachine.TestCase
TestSqliteStoreAgainstPlainDictionaries.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
