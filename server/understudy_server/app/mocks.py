"""Mocks: made as drafts, changed, published, switched on for the environment, removed."""

import re

from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.masks import fields_to_set
from understudy_server.app.ownership import check_no_managed_scenario_lists, check_unmanaged
from understudy_server.app.ports import MockQuery, Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound
from understudy_server.core.keys import Caller

_ID = re.compile(r"ovr_[A-Za-z0-9_-]{1,64}")
_SETTABLE = ("name", "matcher", "action")
# Headers that belong to the connection or to the framing, which the proxy alone writes.
PROXY_HEADERS = frozenset(
    (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


async def create_mock(tx: Transaction, call: Call, request: pb.CreateMockRequest) -> pb.CreateMockResponse:
    """Make a draft. Raises Conflict (already_exists, managed_by_file), and NotFound for an unknown scenario."""
    given, environment_id = request.mock, call.place.environment_id
    check_definition(given)
    if given.id and await tx.mock(environment_id, given.id):
        raise Conflict(
            "already_exists", f"there is a mock {given.id!r} already", Fault("mock.id", "unique", given=given.id)
        )
    if given.scenario:
        await _check_home(tx, environment_id, given.scenario)
    mock = Mock(
        id=given.id or call.world.new_id("ovr_"),
        name=given.name,
        scenario=given.scenario,
        matcher=given.matcher,
        action=given.action,
        state=MOCK_STATE_DRAFT,
        created_by=call.caller.key_id,
        created_at=stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=1,
    )
    await tx.put_mock(environment_id, mock)
    return pb.CreateMockResponse(mock=mock)


async def get_mock(tx: Transaction, call: Call, request: pb.GetMockRequest) -> pb.GetMockResponse:
    """Read a mock. Raises NotFound."""
    return pb.GetMockResponse(mock=await visible_mock(tx, call, request.mock_id))


async def update_mock(tx: Transaction, call: Call, request: pb.UpdateMockRequest) -> pb.UpdateMockResponse:
    """Set what is present, in force at once. Raises NotFound and Conflict (managed_by_file, revision_mismatch)."""
    mock = await _changeable_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    fields = fields_to_set(request.mock, request.update_mask, _SETTABLE)
    check_definition(request.mock)
    before = copied(mock)
    if "name" in fields:
        mock.name = request.mock.name
    if "matcher" in fields:
        mock.matcher.CopyFrom(request.mock.matcher)
    if "action" in fields:
        mock.action.CopyFrom(request.mock.action)
    if mock != before:
        await _save(tx, call, mock)
    return pb.UpdateMockResponse(mock=mock)


async def delete_mock(tx: Transaction, call: Call, request: pb.DeleteMockRequest) -> pb.DeleteMockResponse:
    """Remove a mock from everything. Raises NotFound and Conflict (managed_by_file, revision_mismatch)."""
    mock = await _changeable_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    await check_no_managed_scenario_lists(tx, call, mock.id)
    await tx.remove_mock(call.place.environment_id, mock.id)
    return pb.DeleteMockResponse()


async def list_mocks(tx: Transaction, call: Call, request: pb.ListMocksRequest) -> pb.ListMocksResponse:
    """List the mocks that the caller may see, in the order of their ids."""
    pages = paging.pages(call.place, request)
    after = pages.name_before(request.page_token)
    drafts_of = None if _sees_all_drafts(call.caller) else call.caller.key_id
    query = MockQuery(
        search=request.search,
        state=request.state,
        drafts_of=drafts_of,
        active=request.active if request.HasField("active") else None,
        scenario=request.scenario,
        library_only=request.library_only,
    )
    found = await tx.mocks(call.place.environment_id, query, after, request.page_size + 1)
    page = found[: request.page_size]
    token = pages.token_after(page[-1].id) if len(found) > len(page) else ""
    return pb.ListMocksResponse(mocks=page, next_page_token=token)


async def publish_mock(tx: Transaction, call: Call, request: pb.PublishMockRequest) -> pb.PublishMockResponse:
    """Let a draft be switched on. Raises NotFound and Conflict (managed_by_file, revision_mismatch)."""
    mock = await _changeable_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    if mock.state != MOCK_STATE_PUBLISHED:
        mock.state = MOCK_STATE_PUBLISHED
        await _save(tx, call, mock)
    return pb.PublishMockResponse(mock=mock)


async def unpublish_mock(tx: Transaction, call: Call, request: pb.UnpublishMockRequest) -> pb.UnpublishMockResponse:
    """Make a mock a draft of the caller's again and switch it off everywhere.

    Raises NotFound and Conflict (managed_by_file, revision_mismatch).
    """
    mock = await _changeable_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    if mock.state != MOCK_STATE_DRAFT:
        await check_no_managed_scenario_lists(tx, call, mock.id)
        await tx.switch_off(call.place.environment_id, mock.id)
        mock.state, mock.active, mock.created_by = MOCK_STATE_DRAFT, False, call.caller.key_id
        await _save(tx, call, mock)
    return pb.UnpublishMockResponse(mock=mock)


async def activate_mock(tx: Transaction, call: Call, request: pb.ActivateMockRequest) -> pb.ActivateMockResponse:
    """Switch a mock on for the whole environment.

    Raises NotFound, InvalidInput (invalid_override) and Conflict (revision_mismatch).
    """
    mock = await activatable(tx, call, request.mock_id, field="mock_id")
    check_revision(mock.revision, request.expected_revision)
    if not mock.active:
        await tx.set_active(call.place.environment_id, mock.id, active=True)
        mock.active = True
        await _save(tx, call, mock)
    return pb.ActivateMockResponse(mock=mock)


async def deactivate_mock(tx: Transaction, call: Call, request: pb.DeactivateMockRequest) -> pb.DeactivateMockResponse:
    """Switch a mock off for the environment as a whole. Raises NotFound and Conflict (revision_mismatch)."""
    mock = await visible_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    if mock.active:
        await tx.set_active(call.place.environment_id, mock.id, active=False)
        mock.active = False
        await _save(tx, call, mock)
    return pb.DeactivateMockResponse(mock=mock)


async def visible_mock(tx: Transaction, call: Call, mock_id: str) -> Mock:
    """A mock that the caller may see. Raises NotFound, for somebody else's draft too."""
    mock = await tx.mock(call.place.environment_id, mock_id)
    if mock is None or not _may_see(call.caller, mock):
        raise NotFound(f"there is no mock {mock_id!r} in {call.place.project}/{call.place.environment}")
    return mock


async def _changeable_mock(tx: Transaction, call: Call, mock_id: str) -> Mock:
    """A mock that the caller may see and change. Raises NotFound and Conflict (managed_by_file)."""
    mock = await visible_mock(tx, call, mock_id)
    check_unmanaged(mock.managed_by, f"mock {mock.id!r}")
    return mock


async def library_mock(
    tx: Transaction, call: Call, mock_id: str, *, field: str, unknown_is_invalid: bool = False
) -> Mock:
    """A mock that is no scenario's own.

    Raises InvalidInput (invalid_override) for a malformed id and for a scenario's mock, and NotFound for an unknown one
    (or InvalidInput, where the contract says so).
    """
    fault = Fault(field, "override", given=mock_id[:100])
    if not _ID.fullmatch(mock_id):
        raise InvalidInput(f"{mock_id[:100]!r} is not the id of a mock", fault, code="invalid_override")
    mock = await tx.mock(call.place.environment_id, mock_id)
    if mock is None and unknown_is_invalid:
        raise InvalidInput(f"there is no mock {mock_id!r}", fault, code="invalid_override")
    if mock is None:
        raise NotFound(f"there is no mock {mock_id!r} in {call.place.project}/{call.place.environment}", fault)
    if mock.scenario:
        message = f"mock {mock_id!r} belongs to scenario {mock.scenario!r} and cannot be switched by itself"
        raise InvalidInput(message, fault, code="invalid_override")
    return mock


async def activatable(
    tx: Transaction, call: Call, mock_id: str, *, field: str, unknown_is_invalid: bool = False
) -> Mock:
    """A published library mock. Raises as ``library_mock``, and InvalidInput (invalid_override) for a draft."""
    mock = await library_mock(tx, call, mock_id, field=field, unknown_is_invalid=unknown_is_invalid)
    if mock.state != MOCK_STATE_PUBLISHED:
        fault = Fault(field, "override", given=mock_id)
        raise InvalidInput(f"mock {mock_id!r} is a draft; publish it first", fault, code="invalid_override")
    return mock


def check_definition(mock: Mock | ManifestMock, path: str = "mock") -> None:
    """Refuse what no field's own limits show: a criterion that tests nothing, a header that is the proxy's.

    ``path`` is that of the message in the request. Raises InvalidInput.
    """
    for name, criterion in mock.matcher.query.items():
        if criterion.WhichOneof("test") is None:
            raise _nothing_to_test(f"{path}.matcher.query[{name!r}]")
    if mock.matcher.HasField("body") and mock.matcher.body.WhichOneof("test") is None:
        raise _nothing_to_test(f"{path}.matcher.body")
    for number, header in enumerate(mock.action.respond.headers):
        if header.name.lower() in PROXY_HEADERS:
            fault = Fault(f"{path}.action.respond.headers[{number}].name", "proxy_header", given=header.name)
            raise InvalidInput(f"the proxy itself writes the header {header.name!r}", fault)


def _nothing_to_test(path: str) -> InvalidInput:
    return InvalidInput(f"{path} says nothing to test", Fault(path, "required"))


def _sees_all_drafts(caller: Caller) -> bool:
    return caller.role >= ROLE_ADMIN


def _may_see(caller: Caller, mock: Mock) -> bool:
    return mock.state == MOCK_STATE_PUBLISHED or _sees_all_drafts(caller) or mock.created_by == caller.key_id


async def _check_home(tx: Transaction, environment_id: str, scenario_id: str) -> None:
    """Look at the scenario that a new mock is to belong to. Raises NotFound and Conflict (managed_by_file).

    One that a source declares goes with its mocks, and a mock made elsewhere would keep the source from letting it go.
    """
    scenario = await tx.scenario(environment_id, scenario_id)
    if scenario is None:
        raise NotFound(f"there is no scenario {scenario_id!r}", Fault("mock.scenario", given=scenario_id))
    check_unmanaged(scenario.managed_by, f"scenario {scenario_id!r}")


async def _save(tx: Transaction, call: Call, mock: Mock) -> Mock:
    touched(mock, call.now_ms)
    await tx.put_mock(call.place.environment_id, mock)
    return mock
