from hypothesis import HealthCheck, settings
from support.brief import new_brief_store
from support.new_store import new_store
from support.store_machine import StoreMachine


class _SqliteMachine(StoreMachine):
    opener = staticmethod(new_store)


class _BriefMachine(StoreMachine):
    opener = staticmethod(new_brief_store)


_SETTINGS = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

TestSqliteStoreAgainstPlainDictionaries = _SqliteMachine.TestCase
TestSqliteStoreAgainstPlainDictionaries.settings = _SETTINGS
TestSqliteStoreThatWritesBriefly = _BriefMachine.TestCase
TestSqliteStoreThatWritesBriefly.settings = _SETTINGS
