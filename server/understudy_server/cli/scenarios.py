"""``understudy scenario``: what a session can be put into."""

from typing import Annotated

import typer

from understudy_server.cli.command import Desk, command

app = typer.Typer(help="Look up scenarios.", no_args_is_help=True)


@command(app, "list")
async def list_scenarios(
    desk: Desk,
    *,
    search: Annotated[str, typer.Option(help="Only names that contain this text.")] = "",
    limit: Annotated[int, typer.Option(help="Most scenarios to show, 1 to 100.")] = 50,
    before: Annotated[str, typer.Option(help="Where the page before ended.")] = "",
) -> None:
    """List the scenarios of an environment, newest first."""
    from understudy.v1.scenario_service_pb2 import ListScenariosRequest, ListScenariosResponse

    from understudy_server.cli.output import print_json, print_next, print_table

    request = ListScenariosRequest(search=search, limit=limit, before=before)
    answer = await desk.call(request, ListScenariosResponse)
    if desk.as_json:
        print_json(answer)
        return
    rows = ((each.id, each.name, each.url_id) for each in answer.scenarios)
    print_table(("ID", "NAME", "URL ID"), rows, empty="No scenarios.")
    print_next("--before", answer.next_before)
