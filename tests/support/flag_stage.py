"""The stage on which OpenFeature's clients play: a server with flags of every kind, and a key to evaluate them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from support.furniture import furnished
from support.management import Operator, RestManagement
from support.server import MadePlace, running_server
from understudy.options.v1.options_pb2 import ROLE_ADMIN

_BETA = {"id": "rule_beta", "conditions": [{"attribute": "plan", "operator": "eq", "value": "beta"}], "value": "green"}
_FLAGS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"key": "checkout"}, {"enabled": True}),
    ({"key": "off", "kind": "string", "defaultValue": "old"}, {"enabled": False, "value": "new"}),
    ({"key": "color", "kind": "string", "defaultValue": "blue"}, {"enabled": True, "rules": [_BETA]}),
    ({"key": "retries", "kind": "number", "defaultValue": 3}, {"enabled": True}),
    ({"key": "ratio", "kind": "number", "defaultValue": 0.25}, {"enabled": True}),
    ({"key": "limits", "kind": "json", "defaultValue": {"max": [1, 2]}}, {"enabled": True}),
    # The bucket of user-123 is 80.
    ({"key": "new-checkout-flow"}, {"enabled": True, "rolloutPercentage": 81}),
)


@dataclass(frozen=True)
class FlagStage:
    """``url`` is what a provider is given; ``key`` is one of the project's."""

    place: MadePlace
    operator: Operator
    key: str

    @property
    def url(self) -> str:
        return f"http://{self.place.server.rest}"

    @property
    def proxied(self) -> str:
        return f"http://{self.place.server.proxy}/{self.place.project}/staging"

    def headers(self, session: str = "") -> dict[str, str]:
        """What a provider sends beside what is its own."""
        carried = {"x-flowmock-session": session} if session else {}
        return {"authorization": f"Bearer {self.key}", **carried}

    def put(self, session: str, **state: Any) -> None:
        self.operator.do("PutSession", sessionKey=session, **state)


@contextlib.contextmanager
def flag_stage(upstream: str = "") -> Iterator[FlagStage]:
    with running_server() as server:
        place = furnished(server, upstream)
        manage = RestManagement(server.rest)
        operator = Operator(manage, f"Bearer {server.make_key(ROLE_ADMIN).text}", place.project)
        for flag, state in _FLAGS:
            _make(operator, flag, state)
        yield FlagStage(place, operator, server.make_key(project=place.project).text)
        manage.close()


def _make(operator: Operator, flag: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    operator.do("CreateFlag", flag=flag)
    operator.do("PutFlagState", flagKey=flag["key"], state=state)
