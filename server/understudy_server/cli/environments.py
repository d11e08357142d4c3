"""``understudy environment``: proxy endpoints with their mocks, scenarios and sessions."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.editing import Subject, change_form
from understudy_server.cli.environment_form import (
    FLAGS,
    EnvironmentFlags,
    carrier_of,
    form_of,
    put_settings,
    setting_names,
)
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import AsYaml, From, pointing, read_form
from understudy_server.cli.projects import NewSlug
from understudy_server.cli.removing import Force, Yes, count_environment, remove

if TYPE_CHECKING:
    from understudy.v1.manifest_service_pb2 import ManifestEnvironment
    from understudy.v1.project_service_pb2 import Environment

app = typer.Typer()

EnvironmentSlug = Annotated[
    str,
    typer.Argument(
        metavar="SLUG",
        help="Slug of the environment.",
        show_default=False,
        autocompletion=completing.environments,
    ),
]


class ProfileName(StrEnum):
    """How the mocks of an environment are ordered."""

    FLOWMOCK = "flowmock"
    ASSERTIVE = "assertive"
    MOCKARTY = "mockarty"


@command(app, "list")
async def list_environments(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only slugs and names that contain this text.")] = "",
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most environments to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the environments of a project in the order of their slugs."""
    from understudy.v1.project_service_pb2 import ListEnvironmentsRequest, ListEnvironmentsResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListEnvironmentsRequest(search=search, page_size=page_size, page_token=page_token)
    answer = await desk.call(request, ListEnvironmentsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (
            each.slug,
            each.name,
            each.upstream,
            " ".join(each.hosts),
            "strict" if each.strict else "",
            each.managed_by,
        )
        for each in answer.environments
    )
    columns = ("SLUG", "NAME", "UPSTREAM", "HOSTS", "STRICT", "MANAGED BY")
    empty = "No such environments." if search else "No environments. `understudy environment create SLUG` makes one."
    print_table(columns, rows, empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "get")
async def get(desk: Desk, slug: EnvironmentSlug, *, as_yaml: AsYaml = False) -> None:
    """Show an environment with its settings."""
    environment = await _get(desk, slug)
    if as_yaml:
        from understudy_server.manifest.writing import write_value

        typer.echo(write_value(form_of(environment)), nl=False)
    else:
        _show(desk, environment)


@command(app, "create")
async def create(
    desk: Desk,
    slug: NewSlug,
    flags: EnvironmentFlags,
    *,
    profile: Annotated[
        ProfileName | None,
        typer.Option("--profile", help="Which of several mocks wins: fixed from then on.  \\[default: flowmock]"),
    ] = None,
    source: From = None,
) -> None:
    """Make an environment.

    understudy environment create qa --project checkout --upstream https://qa.example.com
    """
    from understudy.v1.manifest_service_pb2 import ManifestEnvironment
    from understudy.v1.project_service_pb2 import CreateEnvironmentRequest, CreateEnvironmentResponse, Environment

    read = read_form(source, ManifestEnvironment) if source is not None else None
    form = read.message if read else ManifestEnvironment()
    flags.put_into(form)
    request = CreateEnvironmentRequest()
    put_settings(form, request.environment)
    request.environment.slug = slug
    request.environment.profile = form.profile
    if profile:
        request.environment.MergeFrom(Environment(profile=f"PROFILE_{profile.name}"))
    names = {"environment.slug": "SLUG"} | flags.named("environment.")
    with pointing(read, "environment."), naming(names):
        answer = await desk.call(request, CreateEnvironmentResponse)
    _show(desk, answer.environment)


@command(app, "edit")
async def edit(desk: Desk, slug: EnvironmentSlug, flags: EnvironmentFlags, *, source: From = None) -> None:
    """Change the settings of an environment: by flags, from a file, or in your editor. In force at once.

    What flags do not name stays as it is. A file says all settings: what it leaves out has its default.
    """
    environment = await _get(desk, slug)
    said = None
    if flags.given():
        said = form_of(environment)
        flags.put_into(said)
    subject = Subject(
        f"environment {environment.project}/{slug}",
        form_of(environment),
        environment.managed_by,
        "changes.",
        f"understudy environment edit {slug} --project {environment.project}",
        FLAGS,
    )
    with naming(flags.named("changes.")):
        changed = await change_form(
            desk, subject, lambda form: _change(desk, environment, form), said=said, source=source
        )
    _show(desk, changed or environment)


@command(app, "delete")
async def delete(desk: Desk, slug: EnvironmentSlug, *, force: Force = False, yes: Yes = False) -> None:
    """Remove an environment; with --force also one that has mocks, scenarios, files, sessions or flags that are set."""
    from understudy.v1.project_service_pb2 import DeleteEnvironmentRequest, DeleteEnvironmentResponse

    from understudy_server.cli.output import print_json

    async def send() -> None:
        await desk.call(DeleteEnvironmentRequest(environment=slug, force=force), DeleteEnvironmentResponse)

    title = f"environment {desk.project}/{slug}" if desk.project else f"environment {slug}"
    await remove(title, lambda: count_environment(desk, desk.project, slug), send, force=force, yes=yes)
    if desk.as_json:
        print_json(DeleteEnvironmentResponse())
    else:
        typer.echo(f"{title} is removed")


async def _get(desk: Desk, slug: str) -> "Environment":
    from understudy.v1.project_service_pb2 import GetEnvironmentRequest, GetEnvironmentResponse

    return (await desk.call(GetEnvironmentRequest(environment=slug), GetEnvironmentResponse)).environment


async def _change(desk: Desk, environment: "Environment", form: "ManifestEnvironment") -> "Environment":
    from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest, UpdateEnvironmentResponse

    request = UpdateEnvironmentRequest(
        project=environment.project, environment=environment.slug, expected_revision=environment.revision
    )
    put_settings(form, request.changes)
    request.changes.SetInParent()
    request.update_mask.paths.extend(setting_names())
    return (await desk.call(request, UpdateEnvironmentResponse)).environment


def _show(desk: Desk, environment: "Environment") -> None:
    from understudy_server.cli.output import moment, print_facts, print_json

    if desk.as_json:
        print_json(environment)
        return
    limits, redaction = environment.limits, environment.redaction
    masked = (*redaction.headers, *(f"?{name}" for name in redaction.query), *redaction.json_paths)
    bounds = (
        ("request body", f"{limits.request_body_bytes_max} bytes", limits.request_body_bytes_max),
        ("captured", f"{limits.captured_bytes_max} bytes", limits.HasField("captured_bytes_max")),
        ("first byte", f"{limits.first_byte_ms} ms", limits.first_byte_ms),
        ("log of a session", f"{limits.session_log_entries_max} exchanges", limits.session_log_entries_max),
        ("log of a session", f"{limits.session_log_bytes_max} bytes", limits.session_log_bytes_max),
        ("log", f"{limits.log_entries_max} exchanges", limits.log_entries_max),
        ("log", f"{limits.log_bytes_max} bytes", limits.log_bytes_max),
        ("log", f"{limits.log_retention_seconds} s", limits.log_retention_seconds),
    )
    cors = environment.cors
    print_facts(
        (
            ("environment", f"{environment.project}/{environment.slug}"),
            ("name", environment.name),
            ("upstream", environment.upstream),
            ("hosts", " ".join(environment.hosts)),
            ("carriers", " ".join(carrier_of(each) for each in environment.carriers)),
            ("strict", _yes(environment.strict)),
            ("preflights", "passed on" if cors.forward_preflights else "answered"),
            ("CORS headers", "left alone" if cors.leave_answers else "added"),
            ("upgrades", _yes(environment.tunnel_upgrades)),
            ("key sent on", _yes(not environment.strip_session_header)),
            ("masked", " ".join(masked)),
            ("credentials", "kept in the record" if redaction.keep_credentials else "masked"),
            ("limits", ", ".join(f"{name} {text}" for name, text, is_set in bounds if is_set)),
            ("managed by", environment.managed_by),
            ("changed", f"{moment(environment.updated_at, known=True)}, revision {environment.revision}"),
        )
    )


def _yes(value: bool) -> str:  # noqa: FBT001 - it is the value that is shown
    return "yes" if value else "no"
