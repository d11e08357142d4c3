"""Many mocks that differ in a number alone, in id, path and answer: those that loads with turns ask for."""

from collections.abc import Iterator

from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import BatchMocksRequest, Mock

from benchmarks.load import TURN
from benchmarks.scenery import ENVIRONMENT, PROJECT, TURN_BODY, TURN_ID, TURN_PATH

# Three operations for each mock, of a thousand at a time.
_BATCH = 300


def turn_batches(mocks: int) -> Iterator[BatchMocksRequest]:
    """Make so many mocks, and switch them on for everyone."""
    for start in range(0, mocks, _BATCH):
        batch = BatchMocksRequest(project=PROJECT, environment=ENVIRONMENT)
        for number in range(start, min(start + _BATCH, mocks)):
            mock = _turn_mock(f"{number:05}")
            batch.operations.add().create.mock.CopyFrom(mock)
            batch.operations.add().publish.mock_id = mock.id
            batch.operations.add().activate.mock_id = mock.id
        yield batch


def _turn_mock(digits: str) -> Mock:
    answer = TURN_BODY.decode().replace(TURN, digits)
    return Mock(
        id=TURN_ID.replace(TURN, digits),
        name=f"Order {digits}",
        matcher=RequestMatcher(method="GET", path=TURN_PATH.replace(TURN, digits)),
        action=Action(respond=Respond(status=200, json=answer)),
    )
