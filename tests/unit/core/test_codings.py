from understudy_server.core.codings import UNPACKED
from understudy_server.proxy import capturing


def test_the_codings_said_to_be_unpacked_are_those_that_the_journal_unpacks() -> None:
    assert frozenset(capturing._INFLATE) == UNPACKED
