"""``understudy project``: what groups the environments of one service."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.editing import Subject, change_form
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import AsYaml, From, pointing, read_form
from understudy_server.cli.removing import Force, Yes, count_project, remove

if TYPE_CHECKING:
    from understudy.v1.manifest_service_pb2 import ManifestProject
    from understudy.v1.project_service_pb2 import Project

app = typer.Typer()

NewSlug = Annotated[
    str,
    typer.Argument(
        metavar="SLUG",
        help="Name in paths: lower-case letters, digits and dashes, such as checkout.",
        show_default=False,
    ),
]
ProjectSlug = Annotated[
    str,
    typer.Argument(metavar="SLUG", help="Slug of the project.", show_default=False, autocompletion=completing.projects),
]
_Name = Annotated[str | None, typer.Option("--name", help="Name for people; '' is the slug.")]


@command(app, "list")
async def list_projects(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only slugs and names that contain this text.")] = "",
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most projects to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List projects in the order of their slugs."""
    from understudy.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse

    from understudy_server.cli.output import print_json, print_next, print_table, short_moment

    request = ListProjectsRequest(search=search, page_size=page_size, page_token=page_token)
    answer = await desk.call(request, ListProjectsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (each.slug, each.name, each.managed_by, short_moment(each.updated_at, known=True)) for each in answer.projects
    )
    empty = "No such projects." if search else "No projects. `understudy project create SLUG` makes one."
    print_table(("SLUG", "NAME", "MANAGED BY", "CHANGED"), rows, empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "get")
async def get(desk: Desk, slug: ProjectSlug, *, as_yaml: AsYaml = False) -> None:
    """Show a project."""
    project = await _get(desk, slug)
    if as_yaml:
        from understudy_server.manifest.writing import write_value

        typer.echo(write_value(_form(project)), nl=False)
    else:
        _show(desk, project)


@command(app, "create")
async def create(desk: Desk, slug: NewSlug, *, name: _Name = None, source: From = None) -> None:
    """Make a project."""
    from understudy.v1.manifest_service_pb2 import ManifestProject
    from understudy.v1.project_service_pb2 import CreateProjectRequest, CreateProjectResponse, Project

    read = read_form(source, ManifestProject) if source is not None else None
    if read:
        _check_form(read.message)
    project = Project(slug=slug, name=name if name is not None else read.message.name if read else "")
    names = {"project.slug": "SLUG"} | ({"project.name": "--name"} if name is not None else {})
    with pointing(read, "project."), naming(names):
        answer = await desk.call(CreateProjectRequest(project=project), CreateProjectResponse)
    _show(desk, answer.project)


@command(app, "edit")
async def edit(desk: Desk, slug: ProjectSlug, *, name: _Name = None, source: From = None) -> None:
    """Change a project: by flags, from a file, or in your editor."""
    from understudy.v1.manifest_service_pb2 import ManifestProject

    project = await _get(desk, slug)

    async def send(form: ManifestProject) -> "Project":
        _check_form(form)
        return await _change(desk, project, form)

    said = ManifestProject(name=name) if name is not None else None
    command_line = f"understudy project edit {slug}"
    subject = Subject(f"project {slug}", _form(project), project.managed_by, "changes.", command_line, "--name")
    with naming({"changes.name": "--name"} if said is not None else {}):
        changed = await change_form(desk, subject, send, said=said, source=source)
    _show(desk, changed or project)


@command(app, "delete")
async def delete(desk: Desk, slug: ProjectSlug, *, force: Force = False, yes: Yes = False) -> None:
    """Remove a project; with --force also one that has environments, with all that is in them."""
    from understudy.v1.project_service_pb2 import DeleteProjectRequest, DeleteProjectResponse

    from understudy_server.cli.output import print_json

    async def send() -> None:
        await desk.call(DeleteProjectRequest(project=slug, force=force), DeleteProjectResponse)

    await remove(f"project {slug}", lambda: count_project(desk, slug), send, force=force, yes=yes)
    if desk.as_json:
        print_json(DeleteProjectResponse())
    else:
        typer.echo(f"project {slug} is removed")


async def _get(desk: Desk, slug: str) -> "Project":
    from understudy.v1.project_service_pb2 import GetProjectRequest, GetProjectResponse

    return (await desk.call(GetProjectRequest(project=slug), GetProjectResponse)).project


async def _change(desk: Desk, project: "Project", form: "ManifestProject") -> "Project":
    from understudy.v1.project_service_pb2 import ProjectChanges, UpdateProjectRequest, UpdateProjectResponse

    request = UpdateProjectRequest(
        project=project.slug, changes=ProjectChanges(name=form.name), expected_revision=project.revision
    )
    request.update_mask.paths.append("name")
    return (await desk.call(request, UpdateProjectResponse)).project


def _form(project: "Project") -> "ManifestProject":
    from understudy.v1.manifest_service_pb2 import ManifestProject

    return ManifestProject(name=project.name)


def _check_form(form: "ManifestProject") -> None:
    if form.environments or form.existing:
        advice = "Put all of it in a file of its own: `understudy apply FILE`."
        raise CommandFailed(ExitCode.USAGE, "a project is given here without what is in it", advice)


def _show(desk: Desk, project: "Project") -> None:
    from understudy_server.cli.output import moment, print_facts, print_json

    if desk.as_json:
        print_json(project)
        return
    print_facts(
        (
            ("project", project.slug),
            ("name", project.name),
            ("managed by", project.managed_by),
            ("changed", f"{moment(project.updated_at, known=True)}, revision {project.revision}"),
        )
    )
