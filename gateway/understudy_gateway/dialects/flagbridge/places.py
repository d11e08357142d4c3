"""Projects and their environments."""

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from understudy.v1 import project_service_pb2 as pb

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members
from understudy_gateway.dialects.flagbridge.asking import (
    Asked,
    answer,
    done,
    environment_id,
    project_id,
    project_slug,
)
from understudy_gateway.dialects.flagbridge.texts import moment

ENVIRONMENTS: Final = ("production", "staging", "development")
"""What a project has from the beginning, in this order; others come after them."""

_PAGE: Final = 1000


async def create_project(asked: Asked) -> Answer:
    """Make a project with its three environments, or nothing at all."""
    sent = asked.members()
    project = pb.Project(slug=members.required_text(sent, "slug"), name=members.required_text(sent, "name"))
    request = pb.CreateProjectRequest(project=project, environments=ENVIRONMENTS)
    made = await asked.server.call("ProjectService.CreateProject", request, pb.CreateProjectResponse)
    return answer(_shown_project(made.project, made.project.environments), 201)


async def list_projects(asked: Asked) -> Answer:
    """Tell the projects that the key is for."""
    request = pb.ListProjectsRequest(page_size=_PAGE, with_environments=True)
    found: list[dict[str, Any]] = []
    while True:
        page = await asked.server.call("ProjectService.ListProjects", request, pb.ListProjectsResponse)
        found += [_shown_project(each, each.environments) for each in page.projects]
        if not page.next_page_token:
            return answer({"projects": found})
        request.page_token = page.next_page_token


async def read_project(asked: Asked) -> Answer:
    """Tell what a project is."""
    request = pb.GetProjectRequest(project=project_slug(asked.path[0]), with_environments=True)
    found = await asked.server.call("ProjectService.GetProject", request, pb.GetProjectResponse)
    return answer(_shown_project(found.project, found.project.environments))


async def change_project(asked: Asked) -> Answer:
    """Set the name of a project."""
    sent, slug = asked.members(), project_slug(asked.path[0])
    request = pb.UpdateProjectRequest(project=slug)
    request.changes.SetInParent()
    if members.is_there(sent, "name"):
        request.changes.name = members.text(sent, "name")
        request.update_mask.CopyFrom(FieldMask(paths=["name"]))
    found = await asked.server.call("ProjectService.UpdateProject", request, pb.UpdateProjectResponse)
    slugs = [each.slug for each in await _environments(asked, slug)]
    return answer(_shown_project(found.project, slugs))


async def remove_project(asked: Asked) -> Answer:
    """Remove a project with all that is in it."""
    request = pb.DeleteProjectRequest(project=project_slug(asked.path[0]), force=True)
    await asked.server.call("ProjectService.DeleteProject", request, pb.DeleteProjectResponse)
    return done()


async def list_environments(asked: Asked) -> Answer:
    """Tell the environments of a project, in their order."""
    slug = project_slug(asked.path[0])
    found = await _environments(asked, slug)
    return answer({"environments": [_shown_environment(slug, each, at) for at, each in enumerate(found)]})


async def create_environment(asked: Asked) -> Answer:
    """Make an environment."""
    sent, slug = asked.members(), project_slug(asked.path[0])
    environment = pb.Environment(slug=members.required_text(sent, "slug"), name=members.required_text(sent, "name"))
    request = pb.CreateEnvironmentRequest(project=slug, environment=environment)
    answered = await asked.server.call("ProjectService.CreateEnvironment", request, pb.CreateEnvironmentResponse)
    made = answered.environment
    found = [each.slug for each in await _environments(asked, slug)]
    return answer(_shown_environment(slug, made, found.index(made.slug) if made.slug in found else len(found)), 201)


async def _environments(asked: Asked, project: str) -> list[pb.Environment]:
    request = pb.ListEnvironmentsRequest(project=project, page_size=_PAGE)
    found: list[pb.Environment] = []
    while True:
        page = await asked.server.call("ProjectService.ListEnvironments", request, pb.ListEnvironmentsResponse)
        found += page.environments
        if not page.next_page_token:
            return sorted(found, key=lambda each: _rank(each.slug))
        request.page_token = page.next_page_token


def _rank(slug: str) -> tuple[int, str]:
    return ENVIRONMENTS.index(slug) if slug in ENVIRONMENTS else len(ENVIRONMENTS), slug


def _shown_project(project: pb.Project, environments: Iterable[str]) -> dict[str, Any]:
    return {
        "id": project_id(project.slug),
        "name": project.name or project.slug,
        "slug": project.slug,
        "environments": sorted(environments, key=_rank),
        "createdAt": moment(project.created_at),
    }


def _shown_environment(project: str, environment: pb.Environment, position: int) -> dict[str, Any]:
    return {
        "id": environment_id(project, environment.slug),
        "project_id": project_id(project),
        "name": environment.name or environment.slug,
        "slug": environment.slug,
        "color": None,
        "sort_order": position,
        "created_at": moment(environment.created_at),
    }
