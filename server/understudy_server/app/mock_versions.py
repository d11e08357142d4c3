"""What a mock was, and the way back."""

from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, Mock

from understudy_server.app.call import Call
from understudy_server.app.mocks import check_home, check_in_place, define, may_see
from understudy_server.app.ownership import check_unmanaged
from understudy_server.app.ports import Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.core.errors import NotFound


async def list_mock_versions(
    tx: Transaction, call: Call, request: pb.ListMockVersionsRequest
) -> pb.ListMockVersionsResponse:
    """List what a mock was, newest first. Raises NotFound, for somebody else's draft too."""
    return pb.ListMockVersionsResponse(versions=await _versions(tx, call, request.mock_id))


async def restore_mock_version(
    tx: Transaction, call: Call, request: pb.RestoreMockVersionRequest
) -> pb.RestoreMockVersionResponse:
    """Make a mock what it was. Raises NotFound, InvalidInput and Conflict (managed_by_file, revision_mismatch)."""
    environment_id = call.place.environment_id
    versions = await _versions(tx, call, request.mock_id)
    wanted = next((each for each in versions if each.revision == request.version), None)
    if wanted is None:
        raise NotFound(f"the mock {request.mock_id!r} has no version {request.version}")
    present = await tx.mock(environment_id, request.mock_id)
    mock = present or await _made_again(tx, call, versions[0])
    check_unmanaged(mock.managed_by, f"mock {mock.id!r}")
    check_revision(mock.revision, request.expected_revision)
    before = copied(mock)
    define(mock, wanted, call.now_ms)
    await check_in_place(tx, call, mock)
    if mock != before or present is None:
        touched(mock, call.now_ms)
        await tx.put_mock(environment_id, mock)
    if present is None:
        # As when it was made at first: it was never used.
        call.world.state.forget_uses(environment_id, (mock.id,))
    return pb.RestoreMockVersionResponse(mock=mock)


async def _versions(tx: Transaction, call: Call, mock_id: str) -> list[Mock]:
    found = await tx.mock_versions(call.place.environment_id, mock_id)
    present = await tx.mock(call.place.environment_id, mock_id)
    newest = present or (found[0] if found else None)
    if newest is None or not may_see(call.caller, newest):
        raise NotFound(f"there is no mock {mock_id!r} in {call.place.project}/{call.place.environment}")
    # What was published is no secret; what was somebody's draft before is.
    return [each for each in found if may_see(call.caller, each)]


async def _made_again(tx: Transaction, call: Call, last: Mock) -> Mock:
    """A mock that was removed, as an empty draft of the caller's, to be told what it says."""
    if last.scenario:
        await check_home(tx, call.place.environment_id, last.scenario)
    return Mock(
        id=last.id,
        scenario=last.scenario,
        state=MOCK_STATE_DRAFT,
        created_by=call.caller.key_id,
        created_at=stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=last.revision,
    )
