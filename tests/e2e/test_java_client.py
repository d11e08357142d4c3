"""Java's own client before the REST door, as it is: over plain HTTP it offers HTTP/2, with a body too."""

import json
import shutil
from collections.abc import Iterator

import pytest
from support.calls import Call, Client
from support.flag_stage import FlagStage, flag_stage
from support.program_clients import java_client
from support.server import running_gateway

pytestmark = [
    pytest.mark.skipif(shutil.which("javac") is None, reason="there is no javac on this machine"),
    pytest.mark.timeout(300),
]
_JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def stage() -> Iterator[FlagStage]:
    with flag_stage() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(stage: FlagStage) -> Iterator[str]:
    with running_gateway(stage.place.server) as address:
        yield address


@pytest.fixture(scope="module", params=["HTTP_2", "HTTP_1_1"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    made = java_client(tmp_path_factory.mktemp("java"), request.param)
    yield made
    made.close()


@pytest.fixture(params=["rest", "gateway"])
def url(request: pytest.FixtureRequest, stage: FlagStage, gateway: str) -> str:
    return f"http://{gateway}" if request.param == "gateway" else stage.url


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("waits", [False, True], ids=["goes", "waits"])
def test_a_session_is_set_and_its_flags_are_evaluated(
    client: Client, url: str, stage: FlagStage, *, chunked: bool, waits: bool
) -> None:
    session = {"flags": {"color": "of the session"}}
    context = json.dumps({"context": {"targetingKey": "user-123", "plan": "beta"}}).encode()
    place, flag = f"{url}/api/v1/sessions/java-1", f"{url}/ofrep/v1/evaluate/flags/color"
    put = Call("PUT", place, {**stage.headers(), **_JSON}, json.dumps(session).encode(), chunked, waits)
    ask = Call("POST", flag, {**stage.headers("java-1"), **_JSON}, context, chunked, waits)
    outside = Call("POST", flag, {**stage.headers(), **_JSON}, context, chunked, waits)

    answers = client.play([put, ask, ask, outside])

    assert [each.status for each in answers] == [200] * 4, [each.text() for each in answers]
    assert [json.loads(each.text())["value"] for each in answers[1:]] == ["of the session"] * 2 + ["green"]
