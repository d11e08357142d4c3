"""Environments: proxy endpoints with their mocks, scenarios and sessions."""

from collections.abc import Iterable

from understudy.v1 import project_service_pb2 as pb
from understudy.v1.project_service_pb2 import Environment

from understudy_server.app import paging
from understudy_server.app.call import Call
from understudy_server.app.keys import revoke
from understudy_server.app.masks import fields_to_set, set_fields
from understudy_server.app.ownership import check_nothing_managed_within, check_unmanaged
from understudy_server.app.ports import EnvironmentRecord, Transaction
from understudy_server.app.proxy_settings import check_hosts_are_free, check_settings
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, Forbidden, NotFound
from understudy_server.core.searching import contains

_EVERY = 1_000_000
_NEVER_CHANGED = ("profile",)
_SETTABLE = (
    "name",
    "upstream",
    "hosts",
    "carriers",
    "strict",
    "cors",
    "tunnel_upgrades",
    "strip_session_header",
    "redaction",
    "limits",
)


async def list_environments(
    tx: Transaction, call: Call, request: pb.ListEnvironmentsRequest
) -> pb.ListEnvironmentsResponse:
    """List the environments the key is for, in the order of their slugs."""
    pages = paging.pages(call.place, request)
    after = pages.name_before(request.page_token)
    if call.caller.environment_id:
        own = await tx.environment_by_id(call.caller.environment_id)
        shown = own is not None and own.message.slug > after and _is_named(own.message, request.search)
        return pb.ListEnvironmentsResponse(environments=[own.message] if own and shown else [])
    found = await tx.environments(call.place.project_id, after, request.page_size + 1, request.search)
    page = [record.message for record in found[: request.page_size]]
    token = pages.token_after(page[-1].slug) if len(found) > len(page) else ""
    return pb.ListEnvironmentsResponse(environments=page, next_page_token=token)


async def get_environment(tx: Transaction, call: Call, _request: pb.GetEnvironmentRequest) -> pb.GetEnvironmentResponse:
    """Read an environment. Raises NotFound."""
    return pb.GetEnvironmentResponse(environment=(await _existing(tx, call)).message)


async def create_environment(
    tx: Transaction, call: Call, request: pb.CreateEnvironmentRequest
) -> pb.CreateEnvironmentResponse:
    """Make an environment. Raises Forbidden for a key that is for another one, Conflict when slug or host is taken."""
    given = request.environment
    check_settings(given, "environment")
    if call.caller.environment_id:
        raise Forbidden("scope_mismatch", "the key is for one environment; this needs a wider key")
    if await tx.environment(call.place.project_id, given.slug):
        fault = Fault("environment.slug", "unique", given=given.slug)
        raise Conflict("already_exists", f"there is an environment {given.slug!r} already", fault)
    await check_hosts_are_free(tx, given.hosts, "environment.hosts")
    environment = Environment(
        project=call.place.project,
        slug=given.slug,
        created_at=stamp(call.now_ms),
        updated_at=stamp(call.now_ms),
        revision=1,
    )
    _set(environment, given, (*_SETTABLE, *_NEVER_CHANGED))
    environment.profile = environment.profile or pb.PROFILE_FLOWMOCK
    record = EnvironmentRecord(call.world.new_id("env_"), call.place.project_id, environment)
    await tx.put_environment(record)
    return pb.CreateEnvironmentResponse(environment=environment)


async def update_environment(
    tx: Transaction, call: Call, request: pb.UpdateEnvironmentRequest
) -> pb.UpdateEnvironmentResponse:
    """Set what is present, in force at once.

    Raises NotFound and Conflict (managed_by_file, revision_mismatch, already_exists).
    """
    record = await _existing(tx, call)
    check_unmanaged(record.message.managed_by, f"environment {record.message.slug!r}")
    check_revision(record.message.revision, request.expected_revision)
    fields = fields_to_set(request.changes, request.update_mask, _SETTABLE)
    check_settings(request.changes, "changes")
    if "hosts" in fields:
        await check_hosts_are_free(tx, request.changes.hosts, "changes.hosts", record.id)
    before = copied(record.message)
    _set(record.message, request.changes, fields)
    if record.message != before:
        touched(record.message, call.now_ms)
        await tx.put_environment(record)
    return pb.UpdateEnvironmentResponse(environment=record.message)


async def delete_environment(
    tx: Transaction, call: Call, request: pb.DeleteEnvironmentRequest
) -> pb.DeleteEnvironmentResponse:
    """Remove an environment, with all that is in it when forced. Raises NotFound and Conflict."""
    record = await _existing(tx, call)
    what = f"environment {record.message.slug!r}"
    check_unmanaged(record.message.managed_by, what)
    await check_nothing_managed_within(tx, what, record.project_id, record.id)
    check_revision(record.message.revision, request.expected_revision)
    if not request.force and not await tx.is_empty(record.id, call.now_ms):
        message = f"{what} has mocks, scenarios, files, sessions or flags that are set; remove them first, or force it"
        raise Conflict("not_empty", message)
    await remove_environment(tx, call, record)
    return pb.DeleteEnvironmentResponse()


async def remove_environment(tx: Transaction, call: Call, record: EnvironmentRecord) -> None:
    """Remove an environment with all that is in it, and revoke the keys that are for it alone."""
    await revoke_bound_keys(tx, call, project_id=record.project_id, environment_id=record.id)
    await tx.remove_environment(record.id)


async def revoke_bound_keys(tx: Transaction, call: Call, *, project_id: str, environment_id: str = "") -> None:
    """Revoke the keys bound to a project or to one environment of it, which is about to go."""
    for key in await tx.keys("", _EVERY, project_id, environment_id):
        await revoke(tx, call, key)


def _is_named(environment: Environment, part: str) -> bool:
    return contains(environment.slug, part) or contains(environment.name, part)


def _set(environment: Environment, given: Environment | pb.EnvironmentChanges, fields: Iterable[str]) -> None:
    set_fields(environment, given, fields)
    environment.name = environment.name or environment.slug


async def _existing(tx: Transaction, call: Call) -> EnvironmentRecord:
    record = await tx.environment_by_id(call.place.environment_id)
    if record is None:
        raise NotFound(f"there is no environment {call.place.environment!r} in project {call.place.project!r}")
    return record
