"""``understudy scenario``: what a session can be put into."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy_server.cli import completing
from understudy_server.cli.command import Desk, command
from understudy_server.cli.editing import Subject, change_form
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.flag_names import naming
from understudy_server.cli.forms import AsYaml, BatchFile, From, Version, pointing, read_form
from understudy_server.cli.scenario_calls import (
    change_scenario,
    form_of,
    get_scenario,
    local_mocks,
    make_scenario,
)

if TYPE_CHECKING:
    from understudy.v1.manifest_service_pb2 import ManifestScenario
    from understudy.v1.scenario_service_pb2 import Scenario

app = typer.Typer()

ScenarioId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of the scenario, such as scn_paymentDeclined.",
        show_default=False,
        autocompletion=completing.scenarios,
    ),
]
_Name = Annotated[str | None, typer.Option("--name", help="Name for people.")]
_UrlId = Annotated[str | None, typer.Option("--url-id", help="Name for URLs.  \\[default: made from the name]")]
_Mocks = Annotated[
    list[str] | None,
    typer.Option(
        "--mock",
        metavar="ID",
        help="A published mock of the library; repeat it for the exact set; '' is none.",
        autocompletion=completing.mocks,
    ),
]

_Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="WORD", help="A word to find it by; repeat it for the exact list; '' is none."),
]


@command(app, "list")
async def list_scenarios(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only names that contain this text.")] = "",
    mock: Annotated[
        str, typer.Option(metavar="ID", help="Only those with this mock.", autocompletion=completing.mocks)
    ] = "",
    limit: Annotated[int, typer.Option(help="Most scenarios to show, 1 to 100.")] = 50,
    before: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the scenarios of an environment, newest first."""
    from understudy.v1.scenario_service_pb2 import ListScenariosRequest, ListScenariosResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListScenariosRequest(search=search, limit=limit, before=before, mock=mock)
    answer = await desk.call(request, ListScenariosResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.id, each.name, each.url_id) for each in answer.scenarios)
    makes = "`understudy scenario create --name NAME --mock ID` makes one."
    empty = "No such scenarios." if search or mock else f"No scenarios. {makes}"
    print_table(("ID", "NAME", "URL ID"), rows, empty=empty)
    print_next("--before", answer.next_before)


@command(app, "get")
async def get(desk: Desk, scenario_id: ScenarioId, *, as_yaml: AsYaml = False) -> None:
    """Show a scenario."""
    scenario = await get_scenario(desk, scenario_id)
    if as_yaml:
        from understudy_server.manifest.writing import write_value

        typer.echo(write_value(form_of(scenario, await local_mocks(desk, scenario_id))), nl=False)
    else:
        _show(desk, scenario)


@command(app, "create")
async def create(
    desk: Desk,
    *,
    name: _Name = None,
    scenario_id: Annotated[str, typer.Option("--id", metavar="ID", help="scn_...  \\[default: a new one]")] = "",
    url_id: _UrlId = None,
    mock: _Mocks = None,
    tag: _Tags = None,
    source: From = None,
) -> None:
    """Make a scenario. A file can hold the mocks that belong to it alone, too.

    understudy scenario create --name "Payment declined" --mock ovr_payDeclined
    """
    from understudy.v1.manifest_service_pb2 import ManifestScenario

    read = read_form(source, ManifestScenario) if source is not None else None
    form = read.message if read else ManifestScenario()
    _put_flags(form, name, url_id, mock, tag)
    if not form.name and not scenario_id:
        raise CommandFailed(ExitCode.USAGE, "a scenario needs a name", "Give --name NAME, or --id scn_...")
    names = {"scenario.id": "--id"} | _named(name, url_id, mock, tag)
    with pointing(read, "scenario."), naming(names):
        scenario = await make_scenario(desk, form, scenario_id)
    _show(desk, scenario)


@command(app, "edit")
async def edit(
    desk: Desk,
    scenario_id: ScenarioId,
    *,
    name: _Name = None,
    url_id: _UrlId = None,
    mock: _Mocks = None,
    tag: _Tags = None,
    source: From = None,
) -> None:
    """Change a scenario: by flags, from a file, or in your editor. In force at once for the sessions in it.

    What flags do not name stays as it is. A file says all of it; of the mocks that belong to it alone, those that the
    file has are made or changed, and the others stay.
    """
    scenario = await get_scenario(desk, scenario_id)
    said = None
    if (name, url_id, mock, tag) != (None, None, None, None):
        said = form_of(scenario, {})
        _put_flags(said, name, url_id, mock, tag)
    own = {} if said or source else await local_mocks(desk, scenario_id)
    subject = Subject(
        f"scenario {scenario_id}",
        form_of(scenario, own),
        scenario.managed_by,
        "scenario.",
        f"understudy scenario edit {scenario_id}",
        "--name, --url-id, --mock or --tag",
        ("Of its localMocks, those that are here are made or changed; `understudy mock delete ID` removes one.",),
    )
    with naming(_named(name, url_id, mock, tag)):
        changed = await change_form(
            desk, subject, lambda form: change_scenario(desk, scenario, form), said=said, source=source
        )
    _show(desk, changed or scenario)


@command(app, "delete")
async def delete(desk: Desk, scenario_id: ScenarioId) -> None:
    """Remove a scenario and the mocks that belong to it alone. Sessions in it have none from then on."""
    from understudy.v1.scenario_service_pb2 import DeleteScenarioRequest, DeleteScenarioResponse

    from understudy_server.cli.output import count, print_json

    scenario = await get_scenario(desk, scenario_id)
    answer = await desk.call(DeleteScenarioRequest(scenario_id=scenario_id), DeleteScenarioResponse)
    if desk.as_json:
        print_json(answer)
        return
    own = len(scenario.local_mocks)
    typer.echo(f"scenario {scenario_id} is removed" + (f", and {count(own, 'mock')} of its own" if own else ""))


@command(app, "batch")
async def batch(desk: Desk, source: BatchFile) -> None:
    """Do several things to scenarios, whole or not at all.

    The file has a list of operations, each a request: create, update or delete.
    """
    from understudy.v1.scenario_service_pb2 import BatchScenariosRequest, BatchScenariosResponse

    from understudy_server.cli.output import count, print_json

    read = read_form(source, BatchScenariosRequest)
    with pointing(read, ""):
        answer = await desk.call(read.message, BatchScenariosResponse)
    if desk.as_json:
        print_json(answer)
    else:
        ids = " ".join(each.id for each in answer.scenarios)
        typer.echo(f"{count(len(answer.scenarios), 'operation')} done: {ids}")


@command(app, "versions")
async def versions(desk: Desk, scenario_id: ScenarioId) -> None:
    """List what a scenario was, newest first; also of one that was removed."""
    from understudy.v1.scenario_service_pb2 import ListScenarioVersionsRequest, ListScenarioVersionsResponse

    from understudy_server.cli.output import print_json, print_table, short_moment

    request = ListScenarioVersionsRequest(scenario_id=scenario_id)
    answer = await desk.call(request, ListScenarioVersionsResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = (
        (str(each.revision), short_moment(each.updated_at, known=True), each.name, each.url_id, " ".join(each.mocks))
        for each in answer.versions
    )
    print_table(("VERSION", "SINCE", "NAME", "URL ID", "MOCKS"), rows, empty="No versions.")


@command(app, "restore")
async def restore(desk: Desk, scenario_id: ScenarioId, version: Version) -> None:
    """Make a scenario what it was. One that was removed is made again, without mocks of its own."""
    from understudy.v1.scenario_service_pb2 import RestoreScenarioVersionRequest, RestoreScenarioVersionResponse

    request = RestoreScenarioVersionRequest(scenario_id=scenario_id, version=version)
    with naming({"scenario_id": "ID", "version": "VERSION"}):
        _show(desk, (await desk.call(request, RestoreScenarioVersionResponse)).scenario)


def _put_flags(
    form: "ManifestScenario", name: str | None, url_id: str | None, mocks: list[str] | None, tags: list[str] | None
) -> None:
    if name is not None:
        form.name = name
    if url_id is not None:
        form.url_id = url_id
    if mocks is not None:
        del form.mocks[:]
        form.mocks.extend(mock for mock in mocks if mock)
    if tags is not None:
        form.tags[:] = [word for word in tags if word]


def _named(name: str | None, url_id: str | None, mocks: list[str] | None, tags: list[str] | None) -> dict[str, str]:
    """The flags that were given, by their fields in a request."""
    given = {
        "name": ("--name", name),
        "url_id": ("--url-id", url_id),
        "mocks": ("--mock", mocks),
        "tags": ("--tag", tags),
    }
    return {f"scenario.{field}": flag for field, (flag, value) in given.items() if value is not None}


def _show(desk: Desk, scenario: "Scenario") -> None:
    from understudy_server.cli.output import moment, print_facts, print_json

    if desk.as_json:
        print_json(scenario)
        return
    print_facts(
        (
            ("scenario", scenario.id),
            ("name", scenario.name),
            ("url id", scenario.url_id),
            ("mocks", " ".join(scenario.mocks)),
            ("local mocks", " ".join(scenario.local_mocks)),
            ("tags", " ".join(scenario.tags)),
            ("managed by", scenario.managed_by),
            ("changed", f"{moment(scenario.updated_at, known=True)}, revision {scenario.revision}"),
        )
    )
