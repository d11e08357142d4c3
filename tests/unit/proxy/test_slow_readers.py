"""A client that reads slowly gets its answer whole, as long as it reads; one that does not is cut."""

from support.hand_wire import Hand, by_hand
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock
from support.proxying import get
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(tick_seconds=3600)
_NONSENSE = b"NONSENSE\r\n\r\n"


def _source() -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("mock_1",))}, mocks={"mock_1": mock("mock_1", path="/")}
    )
    return source


def _waits(hand: Hand) -> float:
    """For how many seconds from now the client is waited for."""
    return hand.connection.deadline - hand.watch.now


async def test_client_that_takes_some_of_its_answer_within_each_while_is_not_cut() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.pause_writing()
        for unsent in (99_999, 50_000, 20_000):
            hand.watch.now += _SETTINGS.write_seconds
            hand.wire.unsent = unsent
            hand.connection.overdue()
            assert (hand.wire.closed, _waits(hand)) == (False, _SETTINGS.write_seconds)
        hand.connection.overdue()
        assert hand.wire.cut


async def test_client_that_is_refused_has_as_long_to_read_what_was_written_before_as_any() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.data_received(_NONSENSE)
        for unsent in (99_999, 10):
            assert (hand.wire.cut, _waits(hand)) == (False, _SETTINGS.write_seconds)
            hand.watch.now += _SETTINGS.write_seconds
            hand.wire.unsent = unsent
            hand.connection.overdue()
        assert not hand.wire.cut


async def test_client_that_has_read_its_refusal_may_go_on_sending_for_a_while_only() -> None:
    async with by_hand(_source()) as hand:
        hand.wire.unsent = 100
        hand.connection.data_received(_NONSENSE)
        hand.wire.unsent = 0
        hand.connection.overdue()
        assert (hand.wire.cut, _waits(hand)) == (False, _SETTINGS.linger_seconds)
        hand.connection.overdue()
        assert hand.wire.cut


async def test_client_that_has_taken_all_but_the_last_of_its_answer_has_as_long_for_that() -> None:
    """It is no longer full then, but is not done either."""
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.pause_writing()
        hand.connection.data_received(_NONSENSE)
        hand.connection.finish()
        hand.watch.now += _SETTINGS.write_seconds - 1
        hand.wire.unsent = 10_000
        hand.connection.resume_writing()
        assert _waits(hand) == _SETTINGS.write_seconds
        hand.watch.now += _SETTINGS.write_seconds
        hand.wire.unsent = 9_000
        hand.connection.overdue()
        assert (hand.wire.cut, _waits(hand)) == (False, _SETTINGS.write_seconds)
