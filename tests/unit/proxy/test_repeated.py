"""What comes again byte for byte is not read again: nobody may notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import NOON_MS, get, running
from support.strict_http import read_answers
from understudy_server.proxy.memo import Memo
from understudy_server.proxy.messages import ClientRequest
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.response_parser import Answer, ResponseParser
from understudy_server.proxy.settings import ProxySettings

_GET = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_ANSWER_PIECES = [
    _OK,
    _OK[:-2] + b"no",
    _OK[:-1],
    _OK[:-2],
    b"no",
    _OK.replace(b": 2", b": 02"),
    b"HTTP/1.1 304 Not\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    _OK[:20],
    _OK[20:],
    _OK + b"more",
    b"HTTP/1.1 103 Hints\r\n\r\n" + _OK,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 204 None\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"nonsense",
]
_KEY = "x-flowmock-session: ci-42"


def _read(pieces: list[bytes], memo: Memo[ClientRequest] | None) -> list[tuple[str, str, bytes] | str]:
    events: list[Event] = []
    parser = RequestParser(ProxySettings(), events.append, memo=memo)
    for piece in pieces:
        parser.feed(piece)
    return [(each.method, each.target, each.body) if isinstance(each, ClientRequest) else str(each) for each in events]


def test_request_that_comes_again_is_given_out_again() -> None:
    assert _read([_GET] * 5, Memo[ClientRequest]()) == [("GET", "/next", b"")] * 5


def test_bytes_of_a_request_are_no_request_in_the_middle_of_another() -> None:
    memo = Memo[ClientRequest]()
    _read([_GET, _GET], memo)
    long_post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(_GET)
    for pieces in ([b"G", _GET], [_GET + b"G", _GET], [_POST + b"G", _GET], [long_post, _GET], [long_post[:-2], _GET]):
        assert _read(pieces, memo) == _read(pieces, None)


@given(st.lists(st.sampled_from([_GET, _POST, _GET[:5], _GET[5:], b"\r\n", b"G", _POST[:-2], _POST[-2:], b"\x00"])))
def test_memory_makes_no_difference(pieces: list[bytes]) -> None:
    memo = Memo[ClientRequest]()
    _read([_GET, _POST] * 2, memo)
    assert _read(pieces, memo) == _read(pieces, None)
    assert _read(pieces, memo) == _read(pieces, None)


def test_no_more_is_remembered_than_a_bound_and_what_is_asked_for_stays() -> None:
    memo = Memo[ClientRequest]()
    kept = ClientRequest()
    memo.put(b"kept", kept)
    for number in range(10_000):
        memo.put(b"%d" % number, ClientRequest())
        assert memo.get(b"kept") is kept
    assert len(memo) <= 2048


def _answers(method: str, pieces: list[bytes], memo: Memo[Answer] | None) -> list[tuple[object, ...]]:
    """What each piece makes of the answer. When one is whole a new one begins, as on a connection used again."""
    told: list[tuple[object, ...]] = []
    parser = ResponseParser(ProxySettings(), memo)
    parser.begin(method)
    for piece in pieces:
        parser.feed(piece)
        head = parser.head
        seen = (head.status, head.reason, head.headers, head.length, head.chunked, head.bodiless) if head else None
        told.append((seen, parser.take(), parser.complete, bool(parser.fault), parser.reusable))
        if parser.fault or (parser.complete and not parser.reusable):
            break
        if parser.complete:
            parser.begin(method)
    return told


@given(st.sampled_from(["GET", "HEAD"]), st.lists(st.sampled_from(_ANSWER_PIECES), max_size=8))
def test_memory_of_answers_makes_no_difference(method: str, pieces: list[bytes]) -> None:
    memo = Memo[Answer]()
    for each in _ANSWER_PIECES:
        _answers("GET", [each], memo)
    assert _answers(method, pieces, memo) == _answers(method, pieces, None)
    assert _answers(method, pieces, memo) == _answers(method, pieces, None)


@pytest.mark.parametrize("behind", [b"junk", _OK])
def test_what_follows_an_answer_without_a_body_that_was_met_is_not_swallowed(behind: bytes) -> None:
    nothing, memo = b"HTTP/1.1 204 No Content\r\nServer: a\r\n\r\n", Memo[Answer]()
    _answers("GET", [nothing, nothing], memo)
    assert _answers("GET", [nothing + behind], memo) == _answers("GET", [nothing + behind], None)
    assert _answers("GET", [nothing], memo)[-1][-1] is True


def test_answer_that_comes_again_is_given_out_again() -> None:
    memo = Memo[Answer]()
    parser = ResponseParser(ProxySettings(), memo)
    heads = []
    for _ in range(3):
        parser.begin("GET")
        parser.feed(_OK)
        assert (parser.complete, parser.reusable, parser.take()) == (True, True, b"ok")
        heads.append(parser.head)
    assert heads[1] is heads[0]
    assert heads[2] is heads[0]


def test_head_of_an_answer_that_comes_again_with_another_body_is_not_read_again() -> None:
    parser = ResponseParser(ProxySettings(), Memo[Answer]())
    heads, bodies = [], []
    for body in (b"ok", b"no", b"so"):
        parser.begin("GET")
        parser.feed(_OK[:-2] + body)
        assert (parser.complete, parser.reusable) == (True, True)
        heads.append(parser.head)
        bodies.append(parser.take())
    assert bodies == [b"ok", b"no", b"so"]
    assert heads[1] is heads[0]
    assert heads[2] is heads[0]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "shared store"])
async def test_changed_state_is_in_force_for_a_request_that_repeats(*, alone: bool) -> None:
    source = FakeSource()
    source.alone = alone
    source.commit(environments={ENVIRONMENT_ID: environment()}, sessions={"ses_ci-42": session()})
    statuses = []
    async with running(source) as proxy:
        reader, writer = await proxy.connect()
        for status in (0, 0, 0, 418, 418, 418, 404, 404, 0, 0):
            if status:
                source.commit(
                    mocks={"ovr_x": mock("ovr_x", path="/x", status=status)},
                    sessions={"ses_ci-42": session(overrides=("ovr_x",))},
                )
            else:
                source.commit(sessions={"ses_ci-42": session()})
            for _ in range(2):
                writer.write(get("/x", _KEY, close=False))
                data = b""
                while not (read := read_answers(data, ["GET"]))[0]:
                    data += await reader.read(65536)
                statuses.append(read[0][0].status)
        writer.close()
    assert statuses == [502] * 6 + [418] * 6 + [404] * 4 + [502] * 4
    assert [each.status for each in proxy.journal.exchanges] == statuses
    assert len(proxy.journal.seen) == len(statuses)


async def test_session_ends_for_a_request_that_repeats_too() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x")},
        sessions={"ses_ci-42": session(overrides=("ovr_x",), expires_at_ms=NOON_MS + 10)},
    )
    now = [NOON_MS]
    async with running(source, clock=lambda: now[0]) as proxy:
        reader, writer = await proxy.connect()
        for now[0] in (NOON_MS, NOON_MS + 1, NOON_MS + 9, NOON_MS + 10, NOON_MS + 11):
            writer.write(get("/x", _KEY, close=False))
            data = b""
            while not read_answers(data, ["GET"])[0]:
                data += await reader.read(65536)
        writer.close()
    assert [each.status for each in proxy.journal.exchanges] == [200, 200, 200, 502, 502]
    assert [each.started_at_ms - NOON_MS for each in proxy.journal.exchanges] == [0, 1, 9, 10, 11]
