"""``understudy mock``: matchers with an action, from draft to published to on."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import asking, completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.editing import Subject, change_form
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import AsYaml, BatchFile, From, Version, pointing, read_form
from understudy_server.cli.mock_calls import (
    activate_mock,
    change_mock,
    deactivate_mock,
    form_of,
    get_mock,
    make_mock,
    publish_mock,
    unpublish_mock,
)
from understudy_server.cli.mock_form import FLAGS, MockFlags, answer_of, requests_of

if TYPE_CHECKING:
    from understudy.v1.mock_service_pb2 import Mock

app = typer.Typer()

MockId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of the mock, such as ovr_extraMock.",
        show_default=False,
        autocompletion=completing.mocks,
    ),
]
_Publish = Annotated[bool, typer.Option("--publish", help="Publish it too, so that it can be switched on.")]


class StateName(StrEnum):
    """Where a mock stands in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"


@command(app, "list")
async def list_mocks(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only ids and names that contain this text.")] = "",
    state: Annotated[StateName | None, typer.Option(help="Only drafts, or only published ones.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only those on, or not on, for the whole environment.")
    ] = None,
    scenario: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Only those that belong to this scenario alone.", autocompletion=completing.scenarios
        ),
    ] = "",
    library: Annotated[bool, typer.Option("--library", help="Only those that belong to no scenario.")] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="WORD", help="Only those with this tag; repeat it for several.")
    ] = None,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most mocks to show.")] = 100,
    page_token: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the mocks of an environment in the order of their ids."""
    from understudy.v1.mock_service_pb2 import ListMocksRequest, ListMocksResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListMocksRequest(
        search=search,
        state=f"MOCK_STATE_{state.name}" if state else None,
        scenario=scenario,
        library_only=library,
        tags=tag or [],
        page_size=page_size,
        page_token=page_token,
    )
    if active is not None:
        request.active = active
    answer = await desk.call(request, ListMocksResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (
            each.id,
            each.name,
            _state(each),
            requests_of(each.matcher),
            answer_of(each.action),
            each.scenario,
            " ".join(each.tags),
            each.managed_by,
        )
        for each in answer.mocks
    )
    columns = ("ID", "NAME", "STATE", "REQUESTS", "ANSWER", "SCENARIO", "TAGS", "MANAGED BY")
    is_filtered = search or state or active is not None or scenario or library or tag
    empty = "No such mocks." if is_filtered else "No mocks. `understudy mock create --path /api/...` makes one."
    print_table(columns, rows, empty=empty)
    print_next("--page-token", answer.next_page_token)


@command(app, "get")
async def get(desk: Desk, mock_id: MockId, *, as_yaml: AsYaml = False) -> None:
    """Show a mock."""
    mock = await get_mock(desk, mock_id)
    if as_yaml:
        from understudy_server.manifest.writing import write_value

        typer.echo(write_value(form_of(mock)), nl=False)
    else:
        show_mock(desk, mock)


@command(app, "create")
async def create(
    desk: Desk,
    flags: MockFlags,
    *,
    mock_id: Annotated[str, typer.Option("--id", metavar="ID", help="ovr_...  \\[default: a new one]")] = "",
    scenario: Annotated[
        str,
        typer.Option(metavar="ID", help="Scenario that it is to belong to alone.", autocompletion=completing.scenarios),
    ] = "",
    source: From = None,
    publish: _Publish = False,
    activate: Annotated[bool, typer.Option("--activate", help="Publish it and switch it on for everybody.")] = False,
) -> None:
    """Make a mock, as a draft unless told to publish it. One that says nothing answers every request with 200.

    understudy mock create --id ovr_down --method POST --path /api/pay --status 503 --publish
    """
    from understudy.v1.manifest_service_pb2 import ManifestMock
    from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED

    if not flags.given() and source is None:
        _check_is_meant()
    read = read_form(source, ManifestMock) if source is not None else None
    form = read.message if read else ManifestMock()
    flags.put_into(form)
    names = {"mock.id": "--id", "mock.scenario": "--scenario"} | flags.named("mock.")
    with pointing(read, "mock."), naming(names):
        mock = await make_mock(desk, form, mock_id, scenario)
    if publish or activate or form.state == MOCK_STATE_PUBLISHED:
        mock = await _go_on(mock, publish_mock(desk, mock.id), "published")
    if activate:
        mock = await _go_on(mock, activate_mock(desk, mock.id), "switched on")
    show_mock(desk, mock)


@command(app, "from-log")
async def from_log(
    desk: Desk,
    log_id: Annotated[
        str, typer.Argument(metavar="LOG_ID", help="Id of a row of `understudy logs KEY`.", show_default=False)
    ],
    *,
    mock_id: Annotated[str, typer.Option("--id", metavar="ID", help="ovr_...  \\[default: a new one]")] = "",
    name: Annotated[str, typer.Option(help="Name for people.  \\[default: method and path]")] = "",
    publish: _Publish = False,
) -> None:
    """Make a draft that answers as was answered in a recorded exchange."""
    from understudy.v1.mock_service_pb2 import CreateMockFromLogRequest, CreateMockFromLogResponse

    request = CreateMockFromLogRequest(log_id=log_id, mock_id=mock_id, name=name)
    with naming({"mock_id": "--id", "name": "--name", "log_id": "LOG_ID"}):
        mock = (await desk.call(request, CreateMockFromLogResponse)).mock
    if publish:
        mock = await _go_on(mock, publish_mock(desk, mock.id), "published")
    show_mock(desk, mock)


@command(app, "edit")
async def edit(desk: Desk, mock_id: MockId, flags: MockFlags, *, source: From = None) -> None:
    """Change a mock: by flags, from a file, or in your editor. In force at once.

    What flags do not name stays as it is. A file says all of it, but for the state, which may be left out.
    """
    mock = await get_mock(desk, mock_id)
    said = None
    if flags.given():
        said = form_of(mock)
        flags.put_into(said)
    subject = Subject(
        f"mock {mock_id}", form_of(mock), mock.managed_by, "mock.", f"understudy mock edit {mock_id}", FLAGS
    )
    with naming(flags.named("mock.")):
        changed = await change_form(desk, subject, lambda form: change_mock(desk, mock, form), said=said, source=source)
    show_mock(desk, changed or mock)


@command(app, "publish")
async def publish(desk: Desk, mock_id: MockId) -> None:
    """Publish a draft, so that it can be switched on."""
    _told(desk, await publish_mock(desk, mock_id), "published")


@command(app, "unpublish")
async def unpublish(desk: Desk, mock_id: MockId) -> None:
    """Make a mock a draft again: it is switched off everywhere, at once."""
    _told(desk, await unpublish_mock(desk, mock_id), "a draft again, and off everywhere")


@command(app, "activate")
async def activate(desk: Desk, mock_id: MockId) -> None:
    """Switch a published mock on for the whole environment."""
    _told(desk, await activate_mock(desk, mock_id), "on for the whole environment")


@command(app, "deactivate")
async def deactivate(desk: Desk, mock_id: MockId) -> None:
    """Switch a mock off for the environment as a whole; sessions and scenarios keep it."""
    _told(desk, await deactivate_mock(desk, mock_id), "off for the environment as a whole")


@command(app, "delete")
async def delete(desk: Desk, mock_id: MockId) -> None:
    """Remove a mock from the environment, and so from every session and scenario."""
    from understudy.v1.mock_service_pb2 import DeleteMockRequest, DeleteMockResponse

    from understudy_server.cli.output import print_json

    answer = await desk.call(DeleteMockRequest(mock_id=mock_id), DeleteMockResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"mock {mock_id} is removed")


@command(app, "batch")
async def batch(desk: Desk, source: BatchFile) -> None:
    """Do several things to mocks, whole or not at all.

    The file has a list of operations, each a request: create, update, delete, publish, unpublish,
    activate or deactivate.
    """
    from understudy.v1.mock_service_pb2 import BatchMocksRequest, BatchMocksResponse

    from understudy_server.cli.output import count, print_json

    read = read_form(source, BatchMocksRequest)
    with pointing(read, ""):
        answer = await desk.call(read.message, BatchMocksResponse)
    if desk.as_json:
        print_json(answer)
    else:
        typer.echo(f"{count(len(answer.mocks), 'operation')} done: {' '.join(each.id for each in answer.mocks)}")


@command(app, "versions")
async def versions(desk: Desk, mock_id: MockId) -> None:
    """List what a mock was, newest first; also of one that was removed."""
    from understudy.v1.mock_service_pb2 import ListMockVersionsRequest, ListMockVersionsResponse

    from understudy_server.cli.output import print_json, print_table, short_moment

    answer = await desk.call(ListMockVersionsRequest(mock_id=mock_id), ListMockVersionsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (
            str(each.revision),
            short_moment(each.updated_at, known=True),
            each.name,
            _state(each),
            requests_of(each.matcher),
            answer_of(each.action),
        )
        for each in answer.versions
    )
    print_table(("VERSION", "SINCE", "NAME", "STATE", "REQUESTS", "ANSWER"), rows, empty="No versions.")


@command(app, "restore")
async def restore(desk: Desk, mock_id: MockId, version: Version) -> None:
    """Make a mock what it was. One that was removed is made again, as a draft."""
    from understudy.v1.mock_service_pb2 import RestoreMockVersionRequest, RestoreMockVersionResponse

    request = RestoreMockVersionRequest(mock_id=mock_id, version=version)
    with naming({"mock_id": "ID", "version": "VERSION"}):
        show_mock(desk, (await desk.call(request, RestoreMockVersionResponse)).mock)


def _check_is_meant() -> None:
    """Ask a person who said nothing of a mock. Raises CommandFailed."""
    if asking.on_terminal() and not asking.agreed("Nothing is said of it: make a mock that answers every request?"):
        advice = f"Say what it is to do ({FLAGS}), or give it with --from FILE."
        raise CommandFailed(ExitCode.USAGE, "no mock was made", advice)


async def _go_on(mock: "Mock", step: Awaitable["Mock"], wanted: str) -> "Mock":
    """Do more with a mock that was just made; a failure says that it was."""
    try:
        return await step
    except CommandFailed as failure:
        message = f"{mock.id} was made, and could not be {wanted}: {failure.message}"
        raise CommandFailed(failure.exit_code, message, failure.advice, problem=failure.problem) from failure


def _state(mock: "Mock") -> str:
    from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED

    if mock.session:
        return f"on for session {mock.session}"
    if mock.active:
        return "on for all"
    return "published" if mock.state == MOCK_STATE_PUBLISHED else "draft"


def show_mock(desk: Desk, mock: "Mock") -> None:
    """Print a mock."""
    from understudy.v1.manifest_service_pb2 import ManifestMock

    from understudy_server.cli.output import moment, print_facts, print_json, print_yaml

    if desk.as_json:
        print_json(mock)
        return
    print_facts(
        (
            ("mock", mock.id),
            ("name", mock.name),
            ("state", _state(mock)),
            ("scenario", mock.scenario),
            ("priority", str(mock.priority or "")),
            ("tags", " ".join(mock.tags)),
            ("ends", moment(mock.expires_at, known=mock.HasField("expires_at"))),
            ("managed by", mock.managed_by),
            ("changed", f"{moment(mock.updated_at, known=True)}, revision {mock.revision}"),
        )
    )
    form = form_of(mock)
    said = ManifestMock(matcher=form.matcher, action=form.action, chain=form.chain)
    for name in ("lifetime", "machine"):
        if form.HasField(name):
            getattr(said, name).CopyFrom(getattr(form, name))
    print_yaml(said)


def _told(desk: Desk, mock: "Mock", what: str) -> None:
    from understudy_server.cli.output import print_json

    if desk.as_json:
        print_json(mock)
    else:
        typer.echo(f"mock {mock.id} is {what}")
