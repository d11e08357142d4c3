"""The stage on which real clients play: a server, a service behind its proxy, and a session in which mocks are on."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass

from support.rich_upstream import RichUpstream, running_rich_upstream
from support.server import MadePlace, running_server
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import RequestMatcher

KEY = "ci-42"
LARGE_TEXT = "fedcba9876543210" * (1 << 16)
"""One MiB, what the mock of ``/api/large`` answers."""


@dataclass(frozen=True)
class ClientStage:
    """``path`` leads to the environment; with ``KEY`` the mocks answer, without it the service does."""

    place: MadePlace
    service: RichUpstream

    @property
    def path(self) -> str:
        return f"/{self.place.project}/staging"

    @property
    def url(self) -> str:
        return f"http://{self.place.server.proxy}{self.path}"


@contextlib.contextmanager
def client_stage() -> Iterator[ClientStage]:
    with running_rich_upstream() as service, running_server() as server:
        place = server.make_place("staging", upstream=service.url)
        _make(place, "ovr_cart", "GET", "/api/cart", Respond(json='{"cart": "mocked"}'))
        _make(place, "ovr_head", "HEAD", "/api/cart", Respond(json='{"cart": "mocked"}'))
        _make(place, "ovr_gone", "DELETE", "/api/cart", Respond(status=204))
        _make(place, "ovr_pay", "POST", "/api/pay", Respond(json='{"pay": "mocked"}'), subset='{"amount": 1180}')
        _make(place, "ovr_large", "GET", "/api/large", Respond(text=LARGE_TEXT))
        _activate(place, "ovr_cart", "ovr_head", "ovr_gone", "ovr_pay", "ovr_large")
        yield ClientStage(place, service)


def _make(place: MadePlace, mock_id: str, method: str, path: str, respond: Respond, *, subset: str = "") -> None:
    matcher = RequestMatcher(method=method, path=path)
    if subset:
        matcher.body.json_subset = subset
    place.make_mock(mock_id, matcher=matcher, action=Action(respond=respond))


def _activate(place: MadePlace, *mock_ids: str) -> None:
    api = http.client.HTTPConnection(place.server.rest, timeout=30)
    auth = f"Bearer {place.server.make_key(project=place.project).text}"
    body = json.dumps({"overrides": mock_ids})
    api.request("PUT", f"/api/v1/sessions/{KEY}", body, {"authorization": auth})
    answer = api.getresponse()
    assert answer.status == 200, answer.read()
    api.close()
