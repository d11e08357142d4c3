"""Keys: made, listed, revoked. The text of a key is in one answer and nowhere else."""

from understudy.v1.key_service_pb2 import (
    CreateKeyRequest,
    CreateKeyResponse,
    Key,
    ListKeysRequest,
    ListKeysResponse,
    RevokeKeyRequest,
    RevokeKeyResponse,
)

from understudy_server.app import paging
from understudy_server.app.call import Call, Place
from understudy_server.app.ports import EnvironmentRecord, KeyQuery, KeyRecord, ProjectRecord, Transaction
from understudy_server.app.times import milliseconds, stamp
from understudy_server.core import keys
from understudy_server.core.errors import Fault, Forbidden, InvalidInput, LimitReached, NotFound


async def create_key(tx: Transaction, call: Call, request: CreateKeyRequest) -> CreateKeyResponse:
    """Make a key. Raises NotFound, Forbidden (scope_mismatch), InvalidInput and LimitReached (key_limit)."""
    place = await _reach(tx, call, request)
    if request.HasField("expires_at") and milliseconds(request.expires_at) <= call.now_ms:
        raise InvalidInput("expires_at is in the past", Fault("expires_at", "future"))
    if await tx.active_keys(call.now_ms) >= keys.ACTIVE_MAX:
        message = f"the organisation has {keys.ACTIVE_MAX} active keys already; revoke one first"
        raise LimitReached("key_limit", message, Fault("", "active_keys", str(keys.ACTIVE_MAX)))
    text = keys.make_text(call.world.random_bytes)
    key = Key(
        id=call.world.new_id("key_"),
        name=request.name,
        hint=keys.hint(text),
        role=request.role,
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
    """List the keys that are within the caller's own reach, newest first."""
    pages = paging.pages(call.place, request)
    before = pages.name_before(request.page_token)
    caller = call.caller
    query = KeyQuery(
        search=request.search,
        active=request.active if request.HasField("active") else None,
        role=request.role,
        now_ms=call.now_ms,
    )
    found = await tx.keys(before, request.page_size + 1, caller.project_id, caller.environment_id, query)
    page = [_shown(record, call.now_ms) for record in found[: request.page_size]]
    token = pages.token_after(page[-1].id) if len(found) > len(page) else ""
    return ListKeysResponse(keys=page, next_page_token=token)


async def revoke_key(tx: Transaction, call: Call, request: RevokeKeyRequest) -> RevokeKeyResponse:
    """Revoke a key that is within the caller's reach. Raises NotFound."""
    record = await tx.key(request.key_id)
    if record is None or not _within_reach(call, record):
        raise NotFound(f"there is no key {request.key_id[:100]!r}")
    return RevokeKeyResponse(key=_shown(await revoke(tx, call, record), call.now_ms))


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
    project = await tx.project(request.project) if request.project else None
    _check_reach(call.caller.project_id, project)
    if project is None:
        if request.project:
            raise NotFound(f"there is no project {request.project!r}", Fault("project", given=request.project))
        return Place()
    environment = await tx.environment(project.id, request.environment) if request.environment else None
    _check_reach(call.caller.environment_id, environment)
    if environment is None:
        if request.environment:
            fault = Fault("environment", given=request.environment)
            raise NotFound(f"there is no environment {request.environment!r} in {request.project!r}", fault)
        return Place(project.id, project.message.slug)
    return Place(project.id, project.message.slug, environment.id, environment.message.slug)


def _check_reach(own_id: str, asked: ProjectRecord | EnvironmentRecord | None) -> None:
    """Refuse what is not the caller's own, in the same words whether it exists or not: a key learns of no other."""
    if own_id and (asked is None or asked.id != own_id):
        raise Forbidden("scope_mismatch", "a key cannot make one that reaches further than itself")


def _within_reach(call: Call, record: KeyRecord) -> bool:
    caller = call.caller
    return caller.project_id in ("", record.project_id) and caller.environment_id in ("", record.environment_id)


def _shown(record: KeyRecord, now_ms: int) -> Key:
    key = Key()
    key.CopyFrom(record.message)
    key.active = works(record, now_ms)
    return key
