"""Nothing of a connection that is gone waits for the garbage collector, which comes seldom."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import ask, get
from support.virtual_proxy import VirtualProxy
from understudy_server.core.matching.index import Index
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import ClientRequest
from understudy_server.proxy.request_parser import RequestParser
from understudy_server.proxy.standing import Standing

_KEY = "x-flowmock-session: ci-42"
_KINDS = (Connection, RequestParser, ClientRequest)


def _source() -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://192.0.2.1")},
        mocks={"ovr_x": mock("ovr_x", path="/x")},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    return source


def _there() -> Counter[str]:
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, _KINDS))


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "data",
    [
        ask("POST", "/x", _KEY, body=b"a" * 1000, close=False),
        ask("POST", "/x", _KEY, body=b"a" * 1000, close=False)[:-1],
        ask("POST", "/real", _KEY, body=b"a", close=False),
        get("/x", _KEY),
        get("/x", _KEY, "Upgrade: websocket", "Connection: Upgrade", close=False),
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["answered", "not whole", "passed on", "closed", "offer", "refused", "silent"],
)
def test_connection_that_is_gone_leaves_nothing_behind(data: bytes) -> None:
    with VirtualProxy(_source()) as proxy:
        before = _there()
        client = proxy.send(data)
        assert client.lost or _there()["Connection"] == before["Connection"] + 1
        client.lose()
        for upstream in proxy.upstreams:
            upstream.lose()
        proxy.settle()
        del client
        assert _there() == before


def _there_are(*kinds: type) -> int:
    return sum(isinstance(each, kinds) for each in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
def test_sessions_that_are_gone_leave_no_decisions_behind() -> None:
    source = _source()
    with VirtualProxy(source) as proxy:
        client = proxy.connect()
        before = _there_are(Intake, Standing)
        for number in range(50):
            key = f"ci-{number}"
            source.commit(sessions={f"ses_{key}": session(key, overrides=("ovr_x",))})
            for _ in range(4):
                proxy.say(client, get(f"/x?of={key}", f"x-flowmock-session: {key}", close=False))
            source.commit(sessions={f"ses_{key}": None})
        assert b"".join(client.sent).count(b"HTTP/1.1 200 OK") == 200
        assert _there_are(Intake, Standing) - before <= 5


@pytest.mark.usefixtures("uncollected")
def test_sessions_that_were_asked_for_once_keep_no_index_of_their_time() -> None:
    source, keys = _source(), [f"ci-{number}" for number in range(60)]
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://192.0.2.1", active_mocks=("ovr_x",))},
        sessions={f"ses_{key}": session(key) for key in keys},
    )
    with VirtualProxy(source) as proxy:
        client, indexes = proxy.connect(), _there_are(Index)
        for number, key in enumerate(keys):
            source.commit(mocks={"ovr_x": mock("ovr_x", path=f"/x{number}")})
            proxy.say(client, get(f"/x{number}", f"x-flowmock-session: {key}", close=False))
        proxy.settle()
        assert b"".join(client.sent).count(b"HTTP/1.1 200 OK") == len(keys)
        assert _there_are(Index) - indexes <= 8
