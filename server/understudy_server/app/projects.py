"""Projects: what groups the environments of one service."""

from collections.abc import Mapping, Sequence

from understudy.v1 import project_service_pb2 as pb
from understudy.v1.project_service_pb2 import Project

from understudy_server.app import paging
from understudy_server.app.call import Call, Place
from understudy_server.app.environments import create_environment, remove_environment, revoke_bound_keys
from understudy_server.app.flag_ports import FlagQuery
from understudy_server.app.masks import fields_to_set
from understudy_server.app.ownership import check_nothing_managed_within, check_unmanaged
from understudy_server.app.ports import ProjectRecord, Transaction
from understudy_server.app.revisions import check_revision, copied, touched
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound
from understudy_server.core.searching import contains

_EVERY = 1_000_000


async def list_projects(tx: Transaction, call: Call, request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
    """List the projects the key is for, in the order of their slugs."""
    pages = paging.pages(call.place, request)
    after = pages.name_before(request.page_token)
    if call.caller.project_id:
        own = await tx.project_by_id(call.caller.project_id)
        shown = own is not None and own.message.slug > after and _is_named(own.message, request.search)
        found = [own] if own and shown else []
    else:
        found = list(await tx.projects(after, request.page_size + 1, request.search))
    page = found[: request.page_size]
    token = pages.token_after(page[-1].message.slug) if len(found) > len(page) else ""
    if request.with_environments:
        await _add_environments(tx, call, page)
    return pb.ListProjectsResponse(projects=[each.message for each in page], next_page_token=token)


async def get_project(tx: Transaction, call: Call, request: pb.GetProjectRequest) -> pb.GetProjectResponse:
    """Read a project. Raises NotFound."""
    record = await _existing(tx, call)
    if request.with_environments:
        await _add_environments(tx, call, [record])
    return pb.GetProjectResponse(project=record.message)


async def create_project(tx: Transaction, call: Call, request: pb.CreateProjectRequest) -> pb.CreateProjectResponse:
    """Make a project, with environments if any are named.

    Raises Forbidden for a key that is for one project, Conflict when the slug is taken, InvalidInput when an
    environment is named twice.
    """
    check_is_wide(call)
    slug = request.project.slug
    if await tx.project(slug):
        raise Conflict(
            "already_exists", f"there is a project {slug!r} already", Fault("project.slug", "unique", given=slug)
        )
    now = stamp(call.now_ms)
    project = Project(slug=slug, name=request.project.name or slug, created_at=now, updated_at=now, revision=1)
    record = ProjectRecord(call.world.new_id("prj_"), project)
    await tx.put_project(record)
    within = call._replace(place=Place(record.id, slug))
    for number, name in enumerate(request.environments):
        await _make_environment(tx, within, name, f"environments[{number}]")
    # Only told: what is kept of a project does not name them.
    return pb.CreateProjectResponse(project=_with_environments(project, sorted(request.environments)))


async def update_project(tx: Transaction, call: Call, request: pb.UpdateProjectRequest) -> pb.UpdateProjectResponse:
    """Set what is present. Raises NotFound and Conflict (managed_by_file, revision_mismatch)."""
    if call.caller.environment_id:
        raise Forbidden("scope_mismatch", "the key is for one environment; this needs a wider key")
    record = await _existing(tx, call)
    check_unmanaged(record.message.managed_by, f"project {record.message.slug!r}")
    check_revision(record.message.revision, request.expected_revision)
    before = copied(record.message)
    if "name" in fields_to_set(request.changes, request.update_mask, ("name",)):
        record.message.name = request.changes.name or record.message.slug
    if record.message != before:
        touched(record.message, call.now_ms)
        await tx.put_project(record)
    return pb.UpdateProjectResponse(project=record.message)


async def delete_project(tx: Transaction, call: Call, request: pb.DeleteProjectRequest) -> pb.DeleteProjectResponse:
    """Remove a project, with all that is in it when forced. Raises NotFound, Forbidden and Conflict."""
    check_is_wide(call)
    record = await _existing(tx, call)
    what = f"project {record.message.slug!r}"
    check_unmanaged(record.message.managed_by, what)
    await check_nothing_managed_within(tx, what, record.id)
    check_revision(record.message.revision, request.expected_revision)
    environments = await tx.environments(record.id, "", _EVERY)
    flags = await tx.flag_count(record.id, FlagQuery())
    if (environments or flags) and not request.force:
        holds = f"{len(environments)} environments" if environments else f"{flags} flags"
        raise Conflict("not_empty", f"{what} has {holds}; remove them first, or force it")
    for environment in environments:
        await remove_environment(tx, call, environment)
    await revoke_bound_keys(tx, call, project_id=record.id)
    await tx.remove_project(record.id)
    return pb.DeleteProjectResponse()


async def _make_environment(tx: Transaction, call: Call, slug: str, field: str) -> None:
    if await tx.environment(call.place.project_id, slug):
        raise InvalidInput(f"{field} is there twice", Fault(field, "unique", given=slug))
    await create_environment(tx, call, pb.CreateEnvironmentRequest(environment=pb.Environment(slug=slug)))


async def _add_environments(tx: Transaction, call: Call, records: Sequence[ProjectRecord]) -> None:
    """Tell with projects the slugs of their environments, of those that the key is for."""
    if call.caller.environment_id:
        own = await tx.environment_by_id(call.caller.environment_id)
        slugs: Mapping[str, Sequence[str]] = {own.project_id: [own.message.slug]} if own else {}
    else:
        slugs = await tx.environment_slugs([each.id for each in records])
    for record in records:
        record.message.environments.extend(slugs.get(record.id, ()))


def _with_environments(project: Project, slugs: Sequence[str]) -> Project:
    told = copied(project)
    told.environments.extend(slugs)
    return told


def _is_named(project: Project, part: str) -> bool:
    return contains(project.slug, part) or contains(project.name, part)


def check_is_wide(call: Call) -> None:
    """Raise Forbidden (scope_mismatch) for a key that is for one project."""
    if call.caller.project_id:
        raise Forbidden("scope_mismatch", "the key is for one project; this needs an organisation-wide key")


async def _existing(tx: Transaction, call: Call) -> ProjectRecord:
    record = await tx.project_by_id(call.place.project_id)
    if record is None:
        raise NotFound(f"there is no project {call.place.project!r}")
    return record
