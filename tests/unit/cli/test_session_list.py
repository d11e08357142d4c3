"""``understudy session list``: what it shows of each session, and how it is narrowed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.shell import invoke
from typer.testing import Result
from understudy_server.cli.embedded import open_rooms

HERE = ("--project", "checkout", "--environment", "staging")


@pytest.fixture
def data(data: Path) -> Path:
    """The sessions a (in a scenario) and b (with a mock and a label), the second with findings."""
    run(data, "put", "a", "--scenario", "scn_declined")
    run(data, "put", "b", "--override", "ovr_extraMock", "--label", "nightly")

    async def note() -> None:
        async with open_rooms(data, "normal") as rooms:
            for session_id in await rooms.store.read(lambda tx: tx.session_ids()):
                if await is_b(rooms, session_id):
                    rooms.presence.note(session_id, ("upstream_retried", "carriers_disagree"))

    asyncio.run(note())
    return data


async def is_b(rooms: Any, session_id: str) -> bool:
    project = await rooms.store.read(lambda tx: tx.project("checkout"))
    environment = await rooms.store.read(lambda tx: tx.environment(project.id, "staging"))
    found = await rooms.store.read(lambda tx: tx.session(environment.id, "b"))
    return bool(found.id == session_id)


def run(data: Path, *arguments: str) -> Result:
    arguments = ("session", *arguments, *HERE, "--data", str(data))
    return invoke(arguments, env={"COLUMNS": "200"})


def test_each_session_is_a_line_that_ends_with_its_findings(data: Path) -> None:
    head, first, second = run(data, "list").stdout.splitlines()

    assert head.split()[:3] + head.split()[-1:] == ["KEY", "SCENARIO", "OVERRIDES", "FINDINGS"]
    assert first.split()[:2] + first.split()[-1:] == ["a", "scn_declined", "-"]
    assert second.split()[0] == "b"
    assert second.rstrip().endswith("carriers_disagree upstream_retried")


def test_as_json_a_session_stands_beside_its_findings(data: Path) -> None:
    first, second = json.loads(run(data, "list", "--json").stdout)["sessions"]

    assert (first["session"]["sessionKey"], first["findings"]) == ("a", [])
    assert (second["session"]["label"], second["findings"]) == ("nightly", ["carriers_disagree", "upstream_retried"])


@pytest.mark.parametrize(
    ("options", "key"),
    [(("--scenario", "scn_declined"), "a"), (("--override", "ovr_extraMock"), "b"), (("--search", "NIGHT"), "b")],
)
def test_a_filter_leaves_what_fits(data: Path, options: tuple[str, ...], key: str) -> None:
    (_, line) = run(data, "list", *options).stdout.splitlines()

    assert line.split()[0] == key


def test_a_filter_that_nothing_fits_does_not_say_that_there_is_nothing(data: Path) -> None:
    assert run(data, "list", "--search", "none").stdout == "No such sessions.\n"
