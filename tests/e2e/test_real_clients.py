"""What apps are written with, as it is, before a server as it is: the proxy is invisible, and exact where mocks are on.

A client plays the same calls as every other. What one cannot do at all (a browser cannot send chunks) is left out.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.calls import Answer, Call, Client
from support.chromium import Chromium
from support.client_stage import KEY, LARGE_TEXT, ClientStage, client_stage
from support.counting_relay import counting_relay
from support.program_clients import CurlClient, go_client, java_client, node_client
from support.python_clients import AiohttpClient, HttpxClient, RequestsClient
from support.rich_upstream import LARGE

# Building clients takes its time on a machine that has never compiled Go's library.
pytestmark = pytest.mark.timeout(300)

WITH_KEY = {"x-flowmock-session": KEY}
ORDER = b'{"amount": 1180, "items": [{"sku": "tea-green-100g"}]}'
BIG = bytes(range(256)) * 8192

_MAKERS: dict[str, Callable[[Path], Client]] = {
    "curl": lambda _: CurlClient(),
    "httpx": lambda _: HttpxClient(),
    "aiohttp": lambda _: AiohttpClient(),
    "requests": lambda _: RequestsClient(),
    "node": lambda _: node_client(),
    "go": go_client,
    "java": lambda folder: java_client(folder, "HTTP_1_1"),
    # What Java's client does unless told otherwise: each first request on a connection offers h2c, with a body too.
    "java-offering-h2c": lambda folder: java_client(folder, "HTTP_2"),
    "chromium": lambda _: Chromium(),
}
_PROGRAMS = {
    "curl": "curl",
    "node": "node",
    "go": "go",
    "java": "javac",
    "java-offering-h2c": "javac",
    "chromium": "chromium",
}
_BROWSERS = {"chromium"}
_WAITING = ["curl", "aiohttp", "go", "java", "java-offering-h2c"]
ALL = list(_MAKERS)
CHUNKING = [each for each in ALL if each not in _BROWSERS]


def playing(names: list[str]) -> pytest.MarkDecorator:
    """Run a test with each of these clients."""
    return pytest.mark.parametrize("client", names, indirect=True)


@pytest.fixture(scope="module")
def stage() -> Iterator[ClientStage]:
    with client_stage() as made:
        yield made


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Client]]:
    """Those that were started, by name."""
    started: dict[str, Client] = {}
    yield started
    for each in started.values():
        each.close()


@pytest.fixture
def client(
    request: pytest.FixtureRequest, clients: dict[str, Client], tmp_path_factory: pytest.TempPathFactory
) -> Client:
    name: str = request.param
    if (program := _PROGRAMS.get(name)) and shutil.which(program) is None:
        pytest.skip(f"there is no {program} on this machine")
    if name not in clients:
        clients[name] = _MAKERS[name](tmp_path_factory.mktemp(name))
    return clients[name]


def one(client: Client, call: Call) -> Answer:
    (answer,) = client.play([call])
    return answer


@playing(ALL)
def test_the_key_decides_whether_the_mock_or_the_service_answers(client: Client, stage: ClientStage) -> None:
    url = f"{stage.url}/api/cart"
    seen = client.play([Call("GET", url, WITH_KEY), Call("GET", url), Call("GET", url, WITH_KEY)])
    assert [(each.status, each.text()) for each in seen] == [
        (200, '{"cart": "mocked"}'),
        (200, '{"cart": "real"}'),
        (200, '{"cart": "mocked"}'),
    ]


@playing(ALL)
def test_a_json_body_is_matched_with_the_key_and_reaches_the_service_without(
    client: Client, stage: ClientStage
) -> None:
    url, json = f"{stage.url}/api/pay", {"content-type": "application/json"}
    mocked = one(client, Call("POST", url, {**json, **WITH_KEY}, ORDER))
    assert (mocked.status, mocked.text()) == (200, '{"pay": "mocked"}')

    real = one(client, Call("POST", url, json, ORDER))
    assert (real.status, real.text()) == (200, f'{{"pay": "real", "bytes": {len(ORDER)}}}')
    received = stage.service.last("/api/pay")
    assert (received.method, received.body) == ("POST", ORDER)
    assert received.header("content-type") == "application/json"


# The one that offers an upgrade is not among them: such a connection ends with the plain answer. A browser asks for
# leave over one connection and sends what it is about over another.
@pytest.mark.parametrize(
    ("client", "connections"),
    [(each, 2 if each in _BROWSERS else 1) for each in ALL if each != "java-offering-h2c"],
    indirect=["client"],
)
def test_a_connection_is_used_again_by_mocked_and_passed_through_requests(
    client: Client, stage: ClientStage, connections: int
) -> None:
    with counting_relay(stage.place.server.proxy) as relay:
        url = f"http://{relay.address}{stage.path}/api/cart"
        headers = [WITH_KEY, {}, WITH_KEY, {}]
        seen = client.play([Call("GET", url, each) for each in headers])
    assert [each.text() for each in seen] == ['{"cart": "mocked"}', '{"cart": "real"}'] * 2
    assert relay.accepted == connections


@playing(CHUNKING)
@pytest.mark.parametrize("body", [ORDER, BIG], ids=["small", "big"])
def test_a_chunked_upload_reaches_the_service_whole(client: Client, stage: ClientStage, body: bytes) -> None:
    answer = one(client, Call("POST", f"{stage.url}/api/upload", body=body, chunked=True))
    assert answer.text() == f'{{"pay": "real", "bytes": {len(body)}}}'
    assert _digest(stage.service.last("/api/upload").body) == _digest(body)


@playing(CHUNKING)
def test_a_chunked_json_body_is_matched(client: Client, stage: ClientStage) -> None:
    call = Call("POST", f"{stage.url}/api/pay", {"content-type": "application/json", **WITH_KEY}, ORDER, chunked=True)
    assert one(client, call).text() == '{"pay": "mocked"}'


@playing(ALL)
@pytest.mark.parametrize("headers", [WITH_KEY, {}], ids=["mocked", "real"])
def test_an_answer_to_head_has_the_length_of_a_body_and_none(
    client: Client, stage: ClientStage, headers: dict[str, str]
) -> None:
    url = f"{stage.url}/api/cart"
    head, after = client.play([Call("HEAD", url, headers), Call("GET", url, headers)])
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len(after.body))


@playing(ALL)
@pytest.mark.parametrize("headers", [WITH_KEY, {}], ids=["mocked", "real"])
def test_no_content_leaves_the_connection_in_order(client: Client, stage: ClientStage, headers: dict[str, str]) -> None:
    url = f"{stage.url}/api/cart"
    gone, after = client.play([Call("DELETE", url, headers), Call("GET", url, headers)])
    assert (gone.status, gone.body) == (204, b"")
    assert after.text() == ('{"cart": "mocked"}' if headers else '{"cart": "real"}')


@playing(ALL)
@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/api/large", WITH_KEY, LARGE_TEXT.encode()),
        ("/api/large", {}, LARGE),
        ("/api/streamed", {}, LARGE),
    ],
    ids=["mocked", "real", "real-chunked"],
)
def test_a_large_body_arrives_whole(
    client: Client, stage: ClientStage, path: str, headers: dict[str, str], body: bytes
) -> None:
    answer = one(client, Call("GET", f"{stage.url}{path}", headers))
    assert (answer.status, len(answer.body), _digest(answer.body)) == (200, len(body), _digest(body))


@playing(_WAITING)
@pytest.mark.parametrize("headers", [WITH_KEY, {}], ids=["mocked", "real"])
def test_a_client_that_waits_for_100_continue_is_told_to_go_on(
    client: Client, stage: ClientStage, headers: dict[str, str]
) -> None:
    # Each of them waits for longer than it waits for an answer: without the word the body would never come.
    url = f"{stage.url}/api/pay"
    answers = client.play([Call("POST", url, headers, ORDER, waits=True), Call("POST", url, headers, ORDER)])
    expected = '{"pay": "mocked"}' if headers else f'{{"pay": "real", "bytes": {len(ORDER)}}}'
    assert [(each.status, each.text()) for each in answers] == [(200, expected)] * 2


@playing(ALL)
def test_a_packed_answer_of_the_service_can_be_read(client: Client, stage: ClientStage) -> None:
    answer = one(client, Call("GET", f"{stage.url}/api/gzip"))
    assert (answer.status, answer.text()) == (200, '{"cart": "real"}')


@playing(ALL)
def test_a_redirect_is_relayed_and_followed_by_nobody(client: Client, stage: ClientStage) -> None:
    answer = one(client, Call("GET", f"{stage.url}/api/moved"))
    if answer.header("type-of-answer"):
        # A browser does not show where a redirect leads; it says that there was one.
        assert answer.header("type-of-answer") == "opaqueredirect"
    else:
        assert (answer.status, answer.header("location"), answer.body) == (302, "/api/elsewhere", b"moved")
    assert stage.service.count("/api/elsewhere") == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_curl_that_asks_by_itself_before_a_big_body_is_told_to_go_on(stage: ClientStage, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(BIG)
    command = ["curl", "-q", "--noproxy", "*", "-v", "--expect100-timeout", "60", "--max-time", "30", "-s"]
    done = subprocess.run(
        [*command, "--data-binary", f"@{content}", f"{stage.url}/api/upload"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "> Expect: 100-continue" in done.stderr
    assert "< HTTP/1.1 100 Continue" in done.stderr
    assert done.stdout == f'{{"pay": "real", "bytes": {len(BIG)}}}'
    assert _digest(stage.service.last("/api/upload").body) == _digest(BIG)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data, usedforsecurity=False).hexdigest()
