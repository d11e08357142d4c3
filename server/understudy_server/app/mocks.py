"""Mocks: made as drafts, changed, published, switched on for the environment, removed."""

import re
from collections.abc import Collection

from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1 import mock_service_pb2 as pb
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.project_service_pb2 import PROFILE_FLOWMOCK
from understudy.v1.project_service_pb2 import Profile as ProfileMessage
from understudy.v1.session_mock_service_pb2 import SessionMock

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.lifetimes import set_expiry
from understudy_server.app.masks import paths_to_set, set_fields, set_paths
from understudy_server.app.mock_fields import SETTABLE
from understudy_server.app.ownership import check_no_managed_scenario_lists, check_unmanaged
from understudy_server.app.ports import MockQuery, Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.app.unusable_input import refusing_unusable
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound
from understudy_server.core.keys import Caller
from understudy_server.definitions.actions import file_names_of, is_plain
from understudy_server.definitions.checks import Definition, check_mock
from understudy_server.definitions.environments import compile_profile

_ID = re.compile(r"ovr_[A-Za-z0-9_-]{1,64}")
# What else is said of a lifetime leaves its end as it is.
_SETS_TTL = frozenset(("lifetime", "lifetime.ttl_ms"))


async def create_mock(tx: Transaction, call: Call, request: pb.CreateMockRequest) -> pb.CreateMockResponse:
    """Make a draft. Raises Conflict (already_exists, managed_by_file), and NotFound for an unknown scenario."""
    given, environment_id = request.mock, call.place.environment_id
    await check_in_place(tx, call, given)
    if given.id and await tx.mock(environment_id, given.id):
        raise Conflict(
            "already_exists", f"there is a mock {given.id!r} already", Fault("mock.id", "unique", given=given.id)
        )
    if given.scenario:
        await check_home(tx, environment_id, given.scenario)
    mock = Mock(
        id=given.id or call.world.new_id("ovr_"),
        scenario=given.scenario,
        state=MOCK_STATE_DRAFT,
        created_by=call.caller.key_id,
        created_at=stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=1,
    )
    define(mock, given, call.now_ms)
    await tx.put_mock(environment_id, mock)
    if given.id:
        # One of that id may have been there before: this one is new, and was never used.
        call.world.state.forget_uses(environment_id, (mock.id,))
    return pb.CreateMockResponse(mock=mock)


async def get_mock(tx: Transaction, call: Call, request: pb.GetMockRequest) -> pb.GetMockResponse:
    """Read a mock. Raises NotFound."""
    return pb.GetMockResponse(mock=await visible_mock(tx, call, request.mock_id))


async def update_mock(tx: Transaction, call: Call, request: pb.UpdateMockRequest) -> pb.UpdateMockResponse:
    """Set what is present, in force at once. Raises NotFound and Conflict (managed_by_file, revision_mismatch)."""
    mock = await _changeable_mock(tx, call, request.mock_id)
    check_revision(mock.revision, request.expected_revision)
    paths = paths_to_set(request.mock, request.update_mask, SETTABLE)
    before = copied(mock)
    set_paths(mock, request.mock, paths)
    await check_in_place(tx, call, mock)
    _finish(mock, call.now_ms, begins_anew=not _SETS_TTL.isdisjoint(paths))
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
    query = MockQuery(
        search=request.search,
        state=request.state,
        drafts_of=drafts_seen_by(call.caller),
        active=request.active if request.HasField("active") else None,
        scenario=request.scenario,
        library_only=request.library_only,
        tags=request.tags,
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


def define(mock: Mock, given: Mock | SessionMock, now_ms: int) -> None:
    """Let a mock say what another one says: all that can be set. Its time to live begins now."""
    set_fields(mock, given, SETTABLE)
    _finish(mock, now_ms, begins_anew=True)


def _finish(mock: Mock, now_ms: int, *, begins_anew: bool) -> None:
    """Bring into order what was set; ``begins_anew``: its time to live does."""
    mock.tags[:] = dict.fromkeys(mock.tags)
    if begins_anew:
        set_expiry(mock, now_ms)


async def visible_mock(tx: Transaction, call: Call, mock_id: str) -> Mock:
    """A mock that the caller may see. Raises NotFound, for somebody else's draft too."""
    mock = await tx.mock(call.place.environment_id, mock_id)
    if mock is None or not may_see(call.caller, mock):
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


def check_definition(
    mock: Definition,
    path: str = "mock",
    file_names: Collection[str] | None = None,
    profile: ProfileMessage = PROFILE_FLOWMOCK,
) -> None:
    """Refuse what cannot be compiled: the message at ``path`` of the request. Raises InvalidInput.

    ``file_names`` and ``profile`` are those of the environment; ``None``: the files are not looked at.
    """
    with refusing_unusable():
        check_mock(mock, path, file_names, compile_profile(profile))


async def check_in_place(tx: Transaction, call: Call, mock: Definition, path: str = "mock") -> None:
    """Refuse what cannot be compiled, or names a file that the environment does not have. Raises InvalidInput."""
    environment_id, action = call.place.environment_id, mock.action
    names = await tx.file_names(environment_id) if file_names_of(action) else ()
    # What most mocks do is the same whatever the profile.
    profile = PROFILE_FLOWMOCK if is_plain(action) else await profile_of(tx, environment_id)
    check_definition(mock, path, names, profile)


async def profile_of(tx: Transaction, environment_id: str) -> ProfileMessage:
    """The profile of an environment; of one that is not there yet, any."""
    record = await tx.environment_by_id(environment_id)
    return record.message.profile if record else PROFILE_FLOWMOCK


def _sees_all_drafts(caller: Caller) -> bool:
    return caller.role >= ROLE_ADMIN


def drafts_seen_by(caller: Caller) -> str | None:
    """Whose drafts a caller may see, as `MockQuery` has it."""
    return None if _sees_all_drafts(caller) else caller.key_id


def may_see(caller: Caller, mock: Mock) -> bool:
    """Whether a mock is no secret to a caller: published, its own draft, or to an admin any."""
    return mock.state == MOCK_STATE_PUBLISHED or _sees_all_drafts(caller) or mock.created_by == caller.key_id


async def check_home(tx: Transaction, environment_id: str, scenario_id: str) -> None:
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
