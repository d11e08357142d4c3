"""A client that reads slowly gets its answer whole, as long as it reads; one that does not is cut."""

from support.hand_wire import by_hand
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


async def test_client_that_takes_some_of_its_answer_within_each_while_is_not_cut() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.pause_writing()
        for unsent in (99_999, 50_000, 20_000):
            hand.wire.unsent = unsent
            hand.pass_seconds(_SETTINGS.write_seconds)
            assert not hand.wire.closed
        hand.pass_seconds(_SETTINGS.write_seconds)
        assert hand.wire.cut


async def test_client_that_is_refused_has_as_long_to_read_what_was_written_before_as_any() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.data_received(_NONSENSE)
        for unsent in (99_999, 10):
            hand.wire.unsent = unsent
            hand.pass_seconds(_SETTINGS.write_seconds)
            assert not hand.wire.cut
        hand.pass_seconds(_SETTINGS.linger_seconds)
        assert hand.wire.cut


async def test_client_that_has_read_its_refusal_may_go_on_sending_for_a_while_only() -> None:
    async with by_hand(_source()) as hand:
        hand.wire.unsent = 100
        hand.connection.data_received(_NONSENSE)
        hand.wire.unsent = 0
        hand.pass_seconds(_SETTINGS.linger_seconds)
        assert not hand.wire.cut
        hand.pass_seconds(_SETTINGS.linger_seconds)
        assert hand.wire.cut


async def test_refusal_that_only_waits_in_the_system_is_waited_for_as_any() -> None:
    """What was written is not there yet when it is first looked at, on some loops."""
    async with by_hand(_source()) as hand:
        hand.connection.data_received(_NONSENSE)
        hand.wire.unsent = 100
        hand.pass_seconds(_SETTINGS.write_seconds)
        assert not hand.wire.cut


async def test_client_that_has_taken_all_but_the_last_of_its_answer_has_as_long_for_that() -> None:
    """It is no longer full then, but is not done either."""
    async with by_hand(_source()) as hand:
        hand.connection.data_received(get("/", close=False))
        hand.wire.unsent = 100_000
        hand.connection.pause_writing()
        hand.connection.data_received(_NONSENSE)
        hand.connection.finish()
        hand.pass_seconds(_SETTINGS.write_seconds - 1)
        hand.wire.unsent = 10_000
        hand.connection.resume_writing()
        for unsent in (10_000, 9_000):
            hand.wire.unsent = unsent
            hand.pass_seconds(_SETTINGS.write_seconds - 1)
            assert not hand.wire.cut
