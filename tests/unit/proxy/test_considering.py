"""What takes long to decide is decided in turns of the event loop, and others have theirs in between."""

import json
from collections.abc import Callable, Mapping

import pytest
from google.protobuf.json_format import ParseDict
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import ManualLoop, Wire
from support.proxying import ask, body_of, get, status_of
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock

_KEY = "x-flowmock-session: ci-42"
_LONG = json.dumps({"items": [{"id": number, "name": "Bo"} for number in range(20_000)]}).encode()


def _mock(mock_id: str, body: Mapping[str, object] | None = None, **fields: object) -> Mock:
    matcher: dict[str, object] = {"path": "/x"} if body is None else {"path": "/x", "body": body}
    message = {"matcher": matcher, "action": {"respond": {"text": mock_id}}, **fields}
    return ParseDict(message, Mock(id=mock_id, name=mock_id, state=MOCK_STATE_PUBLISHED))


def _source(*mocks: Mock) -> FakeSource:
    source = FakeSource()
    mocks = (*mocks, mock("ovr_quick", path="/quick", json='"quick"'))
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={each.id: each for each in mocks},
        sessions={"ses_ci-42": session(overrides=tuple(each.id for each in mocks))},
    )
    return source


_BY_PATH: Mapping[str, object] = {"json_path": {"path": "$.items[19999].id", "criterion": {"equals": "19999"}}}


class _Stepwise(ManualLoop):
    """While it is ``held`` it runs one callback at a time, when it is told to; ``steps`` are those."""

    held = False
    steps = 0

    def settle(self) -> None:
        if not self.held:
            super().settle()

    def step(self) -> bool:
        """Run what is due next; false when nothing is."""
        if not self._due:
            return False
        handle = self._due.popleft()
        if not handle.cancelled():
            handle._run()
        self.steps += 1
        return True


def _answer(client: Wire) -> bytes:
    return b"".join(client.sent)


def _held(loop: _Stepwise, proxy: VirtualProxy, body: bytes = _LONG) -> Wire:
    """A client has sent a request that is being considered: nothing is answered yet."""
    client = proxy.connect()
    loop.held = True
    client.deliver(ask("POST", "/x", _KEY, body=body))
    for _ in range(3):
        assert loop.step()
    assert not client.sent
    return client


def _finish(loop: _Stepwise) -> None:
    while loop.step():
        pass
    loop.held = False


def test_others_are_answered_in_between() -> None:
    loop = _Stepwise()
    with VirtualProxy(_source(_mock("ovr_long", _BY_PATH)), loop=loop) as proxy:
        client = _held(loop, proxy)
        other = proxy.connect()
        other.deliver(get("/quick", _KEY))
        assert body_of(_answer(other)) == b'"quick"'
        assert not client.sent
        _finish(loop)
        assert body_of(_answer(client)) == b"ovr_long"
        assert loop.steps > 8
        assert [each.path for each in proxy.exchanges] == ["/quick", "/x"]
        assert proxy.faults == []


@pytest.mark.parametrize(
    ("criterion", "answered_by"),
    [
        (_BY_PATH, "ovr_long"),
        ({"not": _BY_PATH}, "ovr_any"),
        ({"json_path": {"path": "$.items[0].id", "criterion": {"equals": "1"}}}, "ovr_any"),
        ({"all": {"criteria": [{"pattern_within": "Bo"}, _BY_PATH]}}, "ovr_long"),
        ({"any": {"criteria": [{"contains": "no such thing"}, _BY_PATH]}}, "ovr_long"),
    ],
)
def test_it_is_decided_as_in_one_go(criterion: Mapping[str, object], answered_by: str) -> None:
    with VirtualProxy(_source(_mock("ovr_any"), _mock("ovr_long", criterion))) as proxy:
        client = proxy.send(ask("POST", "/x", _KEY, body=_LONG))
        assert body_of(_answer(client)).decode() == answered_by
        (exchange,) = proxy.exchanges
        assert exchange.request_body is not None
        assert exchange.request_body.size_bytes == len(_LONG)


def test_what_is_counted_is_counted_once() -> None:
    answer = {
        "action": {
            "extract": [{"key": "seen", "increment": 1}],
            "respond": {"template": "{{ state.session.seen }} {{ request.json['items']|length }}"},
        }
    }
    with VirtualProxy(_source(_mock("ovr_long", _BY_PATH, **answer))) as proxy:
        for number in (1, 2):
            client = proxy.send(ask("POST", "/x", _KEY, body=_LONG))
            assert body_of(_answer(client)) == b"%d 20000" % number


def test_a_use_is_claimed_once() -> None:
    limited = {"lifetime": {"uses_max": 1}}
    with VirtualProxy(_source(_mock("ovr_any"), _mock("ovr_long", _BY_PATH, **limited))) as proxy:
        answers = [body_of(_answer(proxy.send(ask("POST", "/x", _KEY, body=_LONG)))) for _ in range(2)]
        assert answers == [b"ovr_long", b"ovr_any"]


def test_it_is_judged_by_the_state_of_when_it_is_judged() -> None:
    loop, source = _Stepwise(), _source(_mock("ovr_any"), _mock("ovr_long", _BY_PATH))
    with VirtualProxy(source, loop=loop) as proxy:
        client = _held(loop, proxy)
        source.commit(sessions={"ses_ci-42": session(overrides=("ovr_any",))})
        _finish(loop)
        assert body_of(_answer(client)) == b"ovr_any"


@pytest.mark.parametrize(("happens", "status"), [(Wire.lose, 499), (Wire.end, 200)], ids=["lose", "end"])
def test_client_that_goes_meanwhile_is_on_record_once(happens: Callable[[Wire], None], status: int) -> None:
    loop = _Stepwise()
    with VirtualProxy(_source(_mock("ovr_long", _BY_PATH)), loop=loop) as proxy:
        happens(_held(loop, proxy))
        _finish(loop)
        assert [each.status for each in proxy.exchanges] == [status]
        assert proxy.faults == []


def test_requests_that_follow_on_the_same_connection_wait_for_it() -> None:
    with VirtualProxy(_source(_mock("ovr_long", _BY_PATH))) as proxy:
        client = proxy.connect()
        proxy.say(client, ask("POST", "/x", _KEY, body=_LONG, close=False) + get("/quick", _KEY))
        answers = _answer(client).split(b"HTTP/1.1 ")[1:]
        assert [status_of(b"HTTP/1.1 " + each) for each in answers] == [200, 200]
        assert [body_of(each) for each in answers] == [b"ovr_long", b'"quick"']


def test_many_mocks_that_take_long_are_tried_over_several_turns() -> None:
    numbers = json.dumps(["x"] * 300).encode()
    mocks = [_mock(f"ovr_{number}", {"some": {"equals": str(number)}}) for number in range(12)]
    loop = _Stepwise()
    with VirtualProxy(_source(*mocks, _mock("ovr_last")), loop=loop) as proxy:
        client = _held(loop, proxy, numbers)
        _finish(loop)
        assert body_of(_answer(client)) == b"ovr_last"
        assert loop.steps > 8
