"""Flags to evaluate over the protocol, and a client that does."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from support.management import GrpcManagement, Management, Operator
from support.plain_http import NO_TLS
from support.server import MadePlace, Server

Ask = Callable[..., httpx.Response]
BETA = {"id": "rule_beta", "conditions": [{"attribute": "plan", "operator": "eq", "value": "beta"}], "value": "green"}


@pytest.fixture
def manage(server: Server) -> Iterator[Management]:
    """How flags are made does not matter here: over one door."""
    made = GrpcManagement(server.grpc)
    yield made
    made.close()


@pytest.fixture
def flagged(operator: Operator, place: MadePlace) -> MadePlace:
    """`checkout` is on, `off` is not, `color` has a rule, `some` is for 80 %, `nobody` for 0, `limits` is JSON."""
    make_flag(operator, "checkout", {"enabled": True})
    make_flag(operator, "off", {"enabled": False}, kind="string", defaultValue="old")
    make_flag(operator, "color", {"enabled": True, "rules": [BETA]}, kind="string", defaultValue="blue")
    make_flag(operator, "some", {"enabled": True, "rolloutPercentage": 80})
    make_flag(operator, "nobody", {"enabled": True, "rolloutPercentage": 0})
    make_flag(operator, "limits", {"enabled": True, "value": {"max": [1, None]}}, kind="json")
    return place


def make_flag(operator: Operator, key: str, state: Mapping[str, Any], **flag: Any) -> None:
    operator.do("CreateFlag", flag={"key": key, **flag})
    operator.do("PutFlagState", flagKey=key, state=state)


@pytest.fixture(params=["rest", "rest-remote"])
def ask(request: pytest.FixtureRequest, server: Server, auth: str) -> Iterator[Ask]:
    """Evaluates ``key``, or all flags, over the server's own door and that of a gateway elsewhere."""
    address = server.rest if request.param == "rest" else request.getfixturevalue("gateway")
    url = f"http://{address}/ofrep/v1/evaluate/flags"
    with httpx.Client(timeout=30, verify=NO_TLS) as client:

        def evaluate(key: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
            if "content" not in more:
                more["json"] = {"context": more.pop("context", {})}
            path = f"/{key}" if key else ""
            given = {"authorization": auth} if headers is None else headers
            return client.post(url + path, headers=given, **more)

        yield evaluate
