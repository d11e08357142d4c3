"""Keys: made, listed, revoked. The text of a key is in one answer and nowhere else."""

from understudy.v1.key_service_pb2 import (
    CreateKeyRequest,
    CreateKeyResponse,
    GetOwnKeyRequest,
    GetOwnKeyResponse,
    Key,
    KeyKind,
    ListKeysRequest,
    ListKeysResponse,
    RevokeKeyRequest,
    RevokeKeyResponse,
    RotateKeyRequest,
    RotateKeyResponse,
)

from understudy_server.app import paging
from understudy_server.app.call import Call, Place
from understudy_server.app.key_kinds import check_kind, kind_of, role_of, scopes_of, scopes_within, text_for
from understudy_server.app.ports import EnvironmentRecord, KeyQuery, KeyRecord, ProjectRecord, Transaction
from understudy_server.app.times import milliseconds, stamp
from understudy_server.core import keys
from understudy_server.core.errors import Fault, Forbidden, InvalidInput, LimitReached, NotFound


async def create_key(tx: Transaction, call: Call, request: CreateKeyRequest) -> CreateKeyResponse:
    """Make a key. Raises NotFound, Forbidden (scope_mismatch), InvalidInput and LimitReached (key_limit)."""
    check_kind(call, request)
    place = await _reach(tx, call, request)
    if request.HasField("expires_at") and milliseconds(request.expires_at) <= call.now_ms:
        raise InvalidInput("expires_at is in the past", Fault("expires_at", "future"))
    if await tx.active_keys(call.now_ms) >= keys.ACTIVE_MAX:
        message = f"the organisation has {keys.ACTIVE_MAX} active keys already; revoke one first"
        raise LimitReached("key_limit", message, Fault("", "active_keys", str(keys.ACTIVE_MAX)))
    text = text_for(request.scope, call.world.random_bytes)
    key = Key(
        id=call.world.new_id("key_"),
        name=request.name,
        hint=keys.hint(text),
        role=role_of(request),
        kind=kind_of(request.scope),
        scope=request.scope or None,
        project=place.project,
        environment=place.environment,
        created_at=stamp(call.now_ms),
        active=True,
    )
    if request.HasField("expires_at"):
        key.expires_at.CopyFrom(stamp(milliseconds(request.expires_at)))
    await tx.put_key(KeyRecord(key, keys.fingerprint(text), place.project_id, place.environment_id))
    return CreateKeyResponse(key=key, text=text)


async def list_keys(tx: Transaction, call: Call, request: ListKeysRequest) -> ListKeysResponse:
    """List the keys that are within the caller's own reach, newest first. Raises NotFound and Forbidden."""
    pages = paging.pages(call.place, request)
    before = pages.name_before(request.page_token)
    caller = call.caller
    project_id = caller.project_id
    if request.in_project:
        project_id = (await _project(tx, call, request.in_project, "in_project")).id
    query = KeyQuery(
        search=request.search,
        active=request.active if request.HasField("active") else None,
        role=request.role,
        scopes=scopes_within(caller) & scopes_of(request.kind),
        now_ms=call.now_ms,
    )
    found = await tx.keys(before, request.page_size + 1, project_id, caller.environment_id, query)
    page = found[: request.page_size]
    token = pages.token_after(page[-1].message.id) if len(found) > len(page) else ""
    return ListKeysResponse(keys=[_shown(record, call.now_ms) for record in page], next_page_token=token)


async def revoke_key(tx: Transaction, call: Call, request: RevokeKeyRequest) -> RevokeKeyResponse:
    """Revoke a key that is within the caller's reach. Raises NotFound."""
    record = await _within_reach(tx, call, request.key_id, request.kind)
    if record is None:
        raise NotFound(f"there is no key {request.key_id[:100]!r}")
    return RevokeKeyResponse(key=_shown(await revoke(tx, call, record), call.now_ms))


async def rotate_key(tx: Transaction, call: Call, request: RotateKeyRequest) -> RotateKeyResponse:
    """Give a key that is within the caller's reach, and works, another text. Raises NotFound."""
    record = await _within_reach(tx, call, request.key_id, request.kind)
    if record is None or not works(record, call.now_ms):
        raise NotFound(f"there is no key {request.key_id[:100]!r} that works")
    key = record.message
    text = text_for(key.scope, call.world.random_bytes)
    key.hint = keys.hint(text)
    await tx.put_key(KeyRecord(key, keys.fingerprint(text), record.project_id, record.environment_id))
    return RotateKeyResponse(key=_shown(record, call.now_ms), text=text)


async def get_own_key(tx: Transaction, call: Call, _request: GetOwnKeyRequest) -> GetOwnKeyResponse:
    """Read the key that the call is made with. Raises NotFound for the owner, who has none."""
    record = await tx.key(call.caller.key_id) if call.caller.key_id else None
    if record is None:
        raise NotFound("the call is made without a key")
    return GetOwnKeyResponse(key=_shown(record, call.now_ms))


async def revoke(tx: Transaction, call: Call, record: KeyRecord) -> KeyRecord:
    """Note that a key is revoked from now on, unless it was before."""
    if not record.message.HasField("revoked_at"):
        record.message.revoked_at.CopyFrom(stamp(call.now_ms))
        await tx.put_key(record)
    return record


def works(record: KeyRecord, now_ms: int) -> bool:
    """True for a key that is neither revoked nor expired."""
    key = record.message
    expired = key.HasField("expires_at") and milliseconds(key.expires_at) <= now_ms
    return not expired and not key.HasField("revoked_at")


async def _reach(tx: Transaction, call: Call, request: CreateKeyRequest) -> Place:
    """What the new key is for. It can never reach further than the key that makes it."""
    if request.environment and not request.project:
        raise InvalidInput("a key for an environment names the project too", Fault("project", "required"))
    if request.scope not in scopes_within(call.caller):
        message = "a key with this scope is for the flags of a whole project, the caller's own for one environment"
        raise Forbidden("scope_mismatch", message, Fault("scope", "scope"))
    if not request.project:
        _check_reach(call.caller.project_id, None)
        return Place()
    project = await _project(tx, call, request.project, "project")
    environment = await tx.environment(project.id, request.environment) if request.environment else None
    _check_reach(call.caller.environment_id, environment)
    if environment is None:
        if request.environment:
            fault = Fault("environment", given=request.environment)
            raise NotFound(f"there is no environment {request.environment!r} in {request.project!r}", fault)
        return Place(project.id, project.message.slug)
    return Place(project.id, project.message.slug, environment.id, environment.message.slug)


async def _project(tx: Transaction, call: Call, slug: str, field: str) -> ProjectRecord:
    project = await tx.project(slug)
    _check_reach(call.caller.project_id, project)
    if project is None:
        raise NotFound(f"there is no project {slug!r}", Fault(field, given=slug))
    return project


def _check_reach(own_id: str, asked: ProjectRecord | EnvironmentRecord | None) -> None:
    """Refuse what is not the caller's own, in the same words whether it exists or not: a key learns of no other."""
    if own_id and (asked is None or asked.id != own_id):
        raise Forbidden("scope_mismatch", "a key manages none that reaches further than itself")


async def _within_reach(tx: Transaction, call: Call, key_id: str, kind: KeyKind) -> KeyRecord | None:
    """The key with an id when it is of the kind, and reaches no further than the caller's own."""
    record, caller = await tx.key(key_id), call.caller
    if record is None or record.message.scope not in scopes_within(caller) & scopes_of(kind):
        return None
    is_near = caller.project_id in ("", record.project_id) and caller.environment_id in ("", record.environment_id)
    return record if is_near else None


def _shown(record: KeyRecord, now_ms: int) -> Key:
    key = Key()
    key.CopyFrom(record.message)
    key.active = works(record, now_ms)
    key.kind = kind_of(key.scope)
    return key
