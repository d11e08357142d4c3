"""``understudy check``, ``diff``, ``apply``, ``dump`` and ``release``, as typed."""

import json
import stat
from pathlib import Path

import pytest
from support.shell import Shell
from typer.testing import Result

MANIFEST = """\
source: team
projects:
  shop:
    environments:
      staging:
        upstream: https://shop.example.com
        mocks:
          ovr_cart:
            matcher: GET /api/cart
            action: {respond: {status: 200, json: {items: []}}}
        scenarios:
          scn_empty:
            mocks: [ovr_cart]
            localMocks: {ovr_slow: {matcher: GET /slow}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest in the folder that we are in."""
    monkeypatch.chdir(tmp_path)
    Path("understudy.yaml").write_text(MANIFEST)
    return Path("understudy.yaml")


def changed(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def check(shell: Shell, file: Path, *flags: str) -> Result:
    from typer.testing import CliRunner
    from understudy_server.cli.main import app

    return CliRunner().invoke(app, ["check", str(file), *flags])


def test_check_tells_how_much_there_is(shell: Shell, file: Path) -> None:
    result = check(shell, file)
    assert (result.exit_code, result.stdout) == (0, "understudy.yaml: 1 project, 1 environment, 2 mocks, 1 scenario\n")


def test_check_tells_it_to_scripts(shell: Shell, file: Path) -> None:
    counts = {"projects": 1, "environments": 1, "mocks": 2, "scenarios": 1}
    assert json.loads(check(shell, file, "--json").stdout) == {"ok": True, "problems": [], **counts}


def test_check_tells_all_problems_with_their_places_in_order(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    changed(file, "https://shop", "ftp://shop")
    changed(file, "[ovr_cart]", "[ovr_cart, ovr_none]")
    result = check(shell, file)
    there = "projects.shop.environments.staging"
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "understudy: understudy.yaml has 3 problems",
        f"understudy.yaml:6:19: {there}.upstream: does not have the form it must have;"
        ' write it like "https://staging.example.com"',
        f"understudy.yaml:10:40: {there}.mocks.ovr_cart.action.respond.status: is 999, more than 599;"
        " write at most 599",
        f"understudy.yaml:13:31: {there}.scenarios.scn_empty.mocks[1]: names mock 'ovr_none', which is not declared"
        " here; name a published mock that stands under `mocks` of this environment",
    ]


def test_check_gives_problems_to_scripts(shell: Shell, file: Path) -> None:
    changed(file, "mocks: [ovr_cart]", "mock: [ovr_cart]")
    result = check(shell, file, "--json")
    (problem,) = json.loads(result.stdout)["problems"]
    assert result.exit_code == 2
    assert (problem["file"], problem["line"], problem["column"]) == ("understudy.yaml", 13, 13)
    assert problem["field"] == "projects.shop.environments.staging.scenarios.scn_empty.mock"
    assert "mocks" in problem["advice"]


def test_a_file_that_is_not_there_is_a_problem_too(shell: Shell, tmp_path: Path) -> None:
    assert check(shell, tmp_path / "none.yaml").exit_code == 2


def test_diff_tells_and_changes_nothing(shell: Shell, file: Path) -> None:
    for _ in range(2):
        assert shell.ok("diff", str(file)).splitlines() == [
            "+ project shop",
            "+ environment shop/staging",
            "+ mock shop/staging ovr_cart",
            "+ mock shop/staging ovr_slow",
            "+ scenario shop/staging scn_empty",
            "understudy.yaml: 5 to make",
        ]


def test_apply_makes_what_is_declared(shell: Shell, file: Path) -> None:
    assert shell.ok("apply", str(file)).splitlines()[-1] == "understudy.yaml: 5 made"
    assert shell.ok("apply", str(file)) == "understudy.yaml: all is as declared\n"
    found = shell.run("mock", "get", "ovr_cart", "--json", place=("--project", "shop"))
    assert json.loads(found.stdout)["managedBy"] == "team"


def test_diff_tells_what_differs_in_each_field(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    changed(file, "status: 200, json: {items: []}", "status: 404")
    assert shell.ok("diff", str(file)).splitlines() == [
        "~ mock shop/staging ovr_cart action.respond.status: 200 -> 404",
        '~ mock shop/staging ovr_cart action.respond.json: {"items":[]} -> null',
        "understudy.yaml: 1 to change",
    ]


def test_diff_can_tell_by_its_exit_code(shell: Shell, file: Path) -> None:
    assert shell.run("diff", str(file)).exit_code == 0
    assert shell.run("diff", str(file), "--exit-code").exit_code == 1
    shell.ok("apply", str(file))
    assert shell.run("diff", str(file), "--exit-code").exit_code == 0


def test_what_is_removed_tells_who_loses_it_and_what_looks_like_it(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    place = ("--project", "shop", "--environment", "staging")
    for key in ("a", "b"):
        assert shell.run("override", "on", key, "ovr_cart", place=place).exit_code == 0
    changed(file, "ovr_cart", "ovr_basket")
    lines = shell.ok("diff", str(file)).splitlines()
    assert "- mock shop/staging ovr_cart (2 sessions lose it; looks renamed to ovr_basket)" in lines


def test_changes_are_given_to_scripts(shell: Shell, file: Path) -> None:
    planned, done = shell.json("diff", str(file)), shell.json("apply", str(file))
    assert planned == done
    assert [each["kind"] for each in done["changes"]] == ["create"] * 5


def test_a_file_with_problems_never_reaches_a_server(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    for command in ("diff", "apply"):
        result = shell.run(command, str(file))
        assert (result.exit_code, "understudy.yaml:10:40" in result.stderr) == (2, True)


def test_a_refusal_is_told_with_its_place_and_what_to_do(shell: Shell, file: Path) -> None:
    changed(file, "  shop:", "  checkout:")
    result = shell.run("apply", str(file))
    assert result.exit_code == 1
    assert result.stderr.startswith("understudy: understudy.yaml:3:3: already_exists: ")
    assert "--adopt" in result.stderr
    assert "4 adopted" not in shell.ok("diff", str(file), "--adopt")
    assert "> project checkout (made elsewhere, managed from now on)" in shell.ok("diff", str(file), "--adopt")


def test_a_scenario_may_name_what_was_made_through_the_api(shell: Shell, file: Path) -> None:
    file.write_text(
        "projects: {checkout: {existing: true, environments: {staging: {existing: true,"
        " scenarios: {scn_mine: {mocks: [ovr_extraMock]}}}}}}"
    )
    assert "1 made" in shell.ok("apply", str(file))


def test_a_source_can_be_named_beside_the_file(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file), "--source", "mine")
    assert shell.ok("dump", "--source", "mine", place=()).splitlines()[1] == "source: mine"


def test_a_manifest_can_come_from_the_standard_input(shell: Shell, file: Path) -> None:
    assert "5 made" in shell.ok("apply", "-", typed=MANIFEST)
    refused = shell.run("apply", "-", typed="projects: {x: {}}")
    assert (refused.exit_code, "source: is required" in refused.stderr) == (2, True)


def test_a_file_takes_over_from_itself_only_with_force(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    changed(file, "  shop:", "  store:")
    refused = shell.run("apply", str(file))
    assert (refused.exit_code, "other_projects" in refused.stderr, "--force" in refused.stderr) == (1, True, True)
    assert "- project shop" in shell.ok("apply", str(file), "--force").splitlines()


def test_a_dump_is_a_manifest_that_changes_nothing(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    file.write_text(shell.ok("dump", "--source", "team", place=()))
    assert check(shell, file).exit_code == 0
    assert shell.ok("diff", str(file)) == "understudy.yaml: all is as declared\n"


def test_a_dump_of_one_project_says_so(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    result = shell.run("dump", place=("--project", "shop"))
    assert "checkout:" not in result.stdout
    assert result.stderr == "only project shop\n"


def test_a_dump_can_be_json(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    Path("understudy.json").write_text(json.dumps(shell.json("dump", "--source", "team", place=())))
    assert shell.ok("diff", "understudy.json") == "understudy.json: all is as declared\n"


def test_a_dump_does_not_write_over_a_file_unless_forced(shell: Shell, file: Path) -> None:
    shell.ok("dump", "-o", "new.yaml")
    file.chmod(0o640)
    result = shell.run("dump", "-o", str(file))
    assert (result.exit_code, file.read_text()) == (2, MANIFEST)
    shell.ok("dump", "-o", str(file), "--force")
    assert file.read_text() == Path("new.yaml").read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(each.name for each in Path().iterdir() if each.is_file()) == ["new.yaml", "understudy.yaml"]


def test_a_dump_that_cannot_be_written_is_refused(shell: Shell, file: Path) -> None:
    result = shell.run("dump", "-o", "none/understudy.yaml")
    assert (result.exit_code, "cannot write none/understudy.yaml" in result.stderr) == (1, True)


def test_what_is_managed_is_not_edited_until_it_is_released(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    edit = ("mock", "edit", "ovr_cart", "--status", "201")
    refused = shell.run(*edit, place=("--project", "shop"))
    assert (refused.exit_code, "understudy release SOURCE" in refused.stderr) == (1, True)
    assert shell.ok("release", "team") == "team: 5 resources released\n"
    assert shell.run(*edit, place=("--project", "shop")).exit_code == 0


def test_an_unknown_source_is_not_released(shell: Shell) -> None:
    assert shell.run("release", "none").exit_code == 3
