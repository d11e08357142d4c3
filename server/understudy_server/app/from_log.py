"""A mock made of a recorded exchange."""

from understudy.v1.mock_service_pb2 import CreateMockFromLogRequest, CreateMockFromLogResponse, CreateMockRequest

from understudy_server.app.call import Call
from understudy_server.app.log_entries import check_is_call
from understudy_server.app.mocks import create_mock
from understudy_server.app.ports import Transaction
from understudy_server.app.recorded_mock import mock_of
from understudy_server.core.errors import Conflict, Fault, NotFound


async def create_mock_from_log(call: Call, request: CreateMockFromLogRequest) -> CreateMockFromLogResponse:
    """Make a draft of the caller's that answers such a request as this one was answered.

    Raises NotFound when the environment has no such log, Conflict when the id is taken or the answer is not on record
    whole (body_not_kept), and InvalidInput when no mock can answer so or match so.
    """
    place = call.place
    exchange = await call.world.journal.exchange(request.log_id)
    if exchange is None or exchange.environment_id != place.environment_id:
        fault = Fault("log_id", given=request.log_id[:100])
        raise NotFound(f"there is no log {request.log_id[:100]!r} in {place.project}/{place.environment}", fault)
    check_is_call(exchange)

    async def make(tx: Transaction) -> CreateMockFromLogResponse:
        # It was there when the call came in; the journal was asked since.
        environment = await tx.environment_by_id(place.environment_id)
        if environment is None:
            raise NotFound(f"there is no environment {place.environment!r} in project {place.project!r}")
        if request.mock_id and await tx.mock(place.environment_id, request.mock_id):
            fault = Fault("mock_id", "unique", given=request.mock_id)
            raise Conflict("already_exists", f"there is a mock {request.mock_id!r} already", fault)
        mock = mock_of(exchange, cors_is_added=not environment.message.cors.leave_answers)
        mock.id = request.mock_id
        mock.name = request.name or mock.name
        made = await create_mock(tx, call, CreateMockRequest(mock=mock))
        return CreateMockFromLogResponse(mock=made.mock)

    return await call.world.store.write(make)
