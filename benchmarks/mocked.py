"""``understudy serve`` as its users start it, with metrics on, and filled over its API: what the proxy's rows load.

The journal is where a row wants it, in memory or on disk, and what is masked by default is masked.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from understudy.v1.actions_pb2 import Action, Header, Respond
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import CreateMockRequest, Mock, PublishMockRequest
from understudy.v1.project_service_pb2 import EnvironmentChanges, Redaction, UpdateEnvironmentRequest
from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse
from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.method import Rejected
from benchmarks.scenery import (
    ENVIRONMENT,
    KEY,
    MOCKED_BODY,
    MOCKED_PATH,
    PROJECT,
    TEMPLATE,
    TEMPLATED_PATH,
)
from benchmarks.whole import ANY_PORT, UNLIMITED_CALLS, Whole, serving_anew

SERVER = "`understudy serve --metrics`, journal on (in memory unless a row says disk), credentials masked"
"""What is loaded, as the page of results says it."""

_MOCK = Mock(
    id="ovr_order",
    name="One order",
    matcher=RequestMatcher(method="GET", path=MOCKED_PATH),
    action=Action(respond=Respond(status=200, json=MOCKED_BODY.decode())),
)
_TEMPLATED = Mock(
    id="ovr_made",
    name="One order, made for each request",
    matcher=RequestMatcher(method="GET", path=TEMPLATED_PATH),
    action=Action(respond=Respond(headers=[Header(name="content-type", value="application/json")], template=TEMPLATE)),
)
MOCKS = (_MOCK, _TEMPLATED)


@contextmanager
def serving_mocks(journal: str = "memory", upstream: str = "", redaction: Redaction | None = None) -> Iterator[Whole]:
    """A server with the mocks of the scenery, which one session has switched on.

    What no mock answers goes to ``upstream``; ``redaction`` is masked besides what always is.
    """
    with serving_anew(journal=journal, metrics=ANY_PORT, api_rate=UNLIMITED_CALLS) as server:
        changes = EnvironmentChanges(upstream=upstream, redaction=redaction)
        update = UpdateEnvironmentRequest(project=PROJECT, environment=ENVIRONMENT, changes=changes)
        update.update_mask.paths.extend(["upstream", "redaction"])
        server.call("ProjectService/UpdateEnvironment", update)
        for mock in MOCKS:
            server.call(
                "MockService/CreateMock", CreateMockRequest(project=PROJECT, environment=ENVIRONMENT, mock=mock)
            )
            publish = PublishMockRequest(project=PROJECT, environment=ENVIRONMENT, mock_id=mock.id)
            server.call("MockService/PublishMock", publish)
        put_sessions(server, [(KEY, 0)])
        yield server


def put_sessions(server: Whole, sessions: Iterable[tuple[str, int]]) -> None:
    """Sessions by key, each with its delay in ms, that have the mocks switched on."""
    overrides = [mock.id for mock in MOCKS]
    server.call_all(
        "SessionService/PutSession",
        (
            PutSessionRequest(
                project=PROJECT, environment=ENVIRONMENT, session_key=key, global_delay_ms=delay_ms, overrides=overrides
            )
            for key, delay_ms in sessions
        ),
    )


def dropped_by(server: Whole) -> int:
    """How many exchanges its journal could not keep. Raises Rejected when it has none on record at all."""
    answer = server.call("ServerService/GetStatus", GetStatusRequest())
    journal = GetStatusResponse.FromString(answer).status.journal
    if not journal.recorded:
        raise Rejected("the journal is not on: nothing was recorded")
    return journal.dropped
