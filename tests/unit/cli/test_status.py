"""``understudy status``, on a data directory that no server holds and on a server."""

import json
import re
from pathlib import Path

import pytest
from support.shell import invoke
from typer.testing import Result
from understudy.v1.manifest_service_pb2 import PLAN_TEAM, Organisation
from understudy.v1.server_service_pb2 import Check, Counts, JournalStatus, Listener, ManifestStatus, Status, StoreStatus
from understudy_server.app.times import stamp
from understudy_server.cli import status as command


def run(data: Path, *arguments: str, columns: int = 200) -> Result:
    return invoke(["status", *arguments, "--data", str(data)], env={"COLUMNS": str(columns)})


def test_without_a_server_it_counts_and_says_how_to_start_one(data: Path) -> None:
    result = run(data)
    assert result.exit_code == 5, result.stderr
    assert re.search(r"^STATE +stopped$", result.stdout, re.MULTILINE)
    assert "1 project, 1 environment, 3 mocks, 2 scenarios, 0 sessions, 0 keys" in result.stdout
    assert "LISTENER" not in result.stdout
    assert "`understudy serve` starts one" in result.stdout


def test_without_a_server_scripts_are_told_so_by_a_check(data: Path) -> None:
    result = run(data, "--json")
    found = json.loads(result.stdout)
    checks = {each["name"]: each["ok"] for each in found["checks"]}
    assert (result.exit_code, found["healthy"], checks["server"], checks["store"]) == (5, False, False, True)
    assert list(checks) == sorted(checks)


def test_json_is_what_rest_answers(data: Path) -> None:
    found = json.loads(run(data, "--json").stdout)
    assert ("startedAt" in found, found["listeners"]) == (False, [])
    assert found["counts"]["scenarios"] == 2
    assert (found["store"]["kind"], found["journal"]["kind"]) == ("sqlite", "disk")


def test_without_a_data_directory_there_is_nothing_to_ask(tmp_path: Path) -> None:
    assert run(tmp_path / "none").exit_code == 5


def _well() -> Status:
    return Status(
        version="1.2.3",
        started_at=stamp(1_782_216_000_000),
        healthy=True,
        checks=[Check(name=name, ok=True) for name in ("journal", "manifests", "presence", "store")],
        listeners=[
            Listener(kind="grpc", address="127.0.0.1:50051"),
            Listener(kind="proxy", address="127.0.0.1:8081", place="checkout/staging"),
        ],
        organisation=Organisation(name="Example Ltd", plan=PLAN_TEAM),
        counts=Counts(projects=1, environments=2, mocks=40, drafts=2, active_mocks=1, scenarios=5, sessions=12, keys=3),
        store=StoreStatus(kind="sqlite", version=118, size_bytes=65_536, durability="normal"),
        journal=JournalStatus(kind="disk", size_bytes=1_572_864, recorded=5_120),
        manifests=[ManifestStatus(source="shop", resources=12, applied_at=stamp(1_782_216_000_000), watched=True)],
    )


def _printed(status: Status, capsys: pytest.CaptureFixture[str]) -> str:
    command.show(status)
    return capsys.readouterr().out


def test_all_that_is_known_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(_well(), capsys).splitlines() == [
        "STATE         well",
        "VERSION       1.2.3",
        "STARTED       2026-06-23T12:00:00Z",
        "ORGANISATION  Example Ltd, plan team",
        "HOLDS         1 project, 2 environments, 40 mocks (2 drafts, 1 on for all), 5 scenarios, 12 sessions, 3 keys",
        "STORE         sqlite, 64.0 KiB, version 118, durability normal",
        "JOURNAL       disk, 1.5 MiB, 5120 exchanges since the start",
        "",
        "ADDRESS          LISTENER  FOR",
        "127.0.0.1:50051  grpc      everything",
        "127.0.0.1:8081   proxy     checkout/staging",
        "",
        "SOURCE  DECLARES  APPLIED               BY     FOLLOWED  IN FORCE",
        "shop    12        2026-06-23T12:00:00Z  owner  yes       yes",
    ]


def test_what_is_wrong_is_named_at_the_top_and_explained_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    status = _well()
    status.healthy = False
    status.checks[1].ok, status.checks[1].problem = False, "shop.yaml:3:9: status: write 100 to 599"
    status.manifests[0].problem = status.checks[1].problem
    lines = _printed(status, capsys).splitlines()
    assert lines[0] == "STATE         not well (manifests)"
    assert lines[-2:] == ["Not well:", "  manifests: shop.yaml:3:9: status: write 100 to 599"]
    assert any("no: see below" in line for line in lines)


def test_each_of_several_problems_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    status = _well()
    status.checks[1].ok, status.checks[1].problem = False, "shop.yaml:3:9: first\nshop.yaml:4:9: second"
    lines = _printed(status, capsys).splitlines()
    assert lines[-2:] == ["  manifests: shop.yaml:3:9: first", "  manifests: shop.yaml:4:9: second"]


def test_exchanges_that_are_not_there_any_more_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    status = _well()
    for reason, count in (("session_quota", 7), ("retention", 3), ("unclean_stop", 0)):
        status.journal.losses.add(reason=reason, count=count)
    lost = "7 (session_quota), 3 (retention), some (unclean_stop)"
    assert f"5120 exchanges since the start; not on record any more: {lost}\n" in _printed(status, capsys)


def test_what_a_stranger_stored_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    status = _well()
    status.organisation.name = "\x1b[2J"
    status.checks[0].ok, status.checks[0].problem = False, "\x1b[2J"
    assert "\x1b" not in _printed(status, capsys)
