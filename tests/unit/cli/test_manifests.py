"""``understudy check``, ``diff``, ``apply``, ``dump`` and ``release``, as typed."""

import json
import stat
from pathlib import Path

import pytest
from support.shell import Shell, invoke
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


def check(shell: Shell, file: Path, *flags: str, typed: str | None = None) -> Result:
    return invoke(["check", str(file), *flags], typed=typed)


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
        f"understudy.yaml:6:19: {there}.upstream: must be a URL such as https://shop.example.com/api: http or https, a"
        " host, perhaps a port and a path, no user, query or fragment;"
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


def test_check_tells_the_limits_of_fields_beside_slips_of_form(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    changed(file, "localMocks", "localMock")
    lines = check(shell, file).stderr.splitlines()
    assert [line.split(": ")[0] for line in lines[1:]] == ["understudy.yaml:10:40", "understudy.yaml:14:13"]


def test_check_does_not_miss_what_could_not_be_read(shell: Shell, file: Path) -> None:
    file.write_text("projects: {shop: {environments: {qa: {carriers: [{cooky: x}], mock: {}}}}}\nsource: [a]\n")
    lines = check(shell, file).stderr.splitlines()
    assert not [line for line in lines if "required" in line]
    assert len(lines) == 4


def test_check_looks_at_the_settings_of_the_server_too(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    file.write_text(file.read_text() + "server: {grpcc: 1}\n")
    lines = check(shell, file).stderr.splitlines()
    assert lines[-1] == "understudy.yaml:15:17: server.grpcc: is not known here; did you mean grpc?"
    assert len(lines) == 3
    assert check(shell, Path("-"), typed="server: {plan: free-for-all}").exit_code == 2


def test_a_file_that_is_no_yaml_is_told_once(shell: Shell, file: Path) -> None:
    file.write_text("server: {grpc: 1\n")
    result = check(shell, file)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2)


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


def test_what_is_removed_tells_how_many_keys_stop_working(shell: Shell, file: Path) -> None:
    shell.ok("apply", str(file))
    for environment in ("staging", "staging", ""):
        bound = ("--environment", environment) if environment else ()
        shell.ok("key", "create", "--name", "ci", place=("--project", "shop", *bound))
    changed(file, "  shop:", "  store:")
    lines = shell.ok("diff", str(file), "--force").splitlines()
    assert "- project shop (1 key stops working)" in lines
    assert "- environment shop/staging (2 keys stop working)" in lines


def test_changes_are_given_to_scripts(shell: Shell, file: Path) -> None:
    planned, done = shell.json("diff", str(file)), shell.json("apply", str(file))
    assert planned["changes"] == done["changes"]
    assert [each["kind"] for each in done["changes"]] == ["create"] * 5


def test_a_field_at_fault_is_told_with_its_place_and_changes_nothing(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    for command in ("diff", "apply"):
        result = shell.run(command, str(file))
        assert (result.exit_code, "understudy.yaml:10:40" in result.stderr) == (2, True)


def test_a_refusal_is_told_with_its_place_and_what_to_do(shell: Shell, file: Path) -> None:
    changed(file, "  shop:", "  checkout:")
    result = shell.run("apply", str(file))
    assert result.exit_code == 1
    first, *lines = result.stderr.splitlines()
    assert first == "understudy: understudy.yaml was refused for 2 problems"
    assert lines[0].startswith("understudy.yaml:3:3: projects.checkout: already_exists: ")
    assert "--adopt" in result.stderr
    assert "4 adopted" not in shell.ok("diff", str(file), "--adopt")
    assert "> project checkout (made elsewhere, managed from now on)" in shell.ok("diff", str(file), "--adopt")


CLASHING = """\
projects:
  checkout:
    existing: true
    environments:
      staging:
        existing: true
        scenarios:
          scn_mine: {mocks: [ovr_none]}
        mocks:
          ovr_extraMock: {}
"""


@pytest.mark.parametrize("name", ["diff", "apply"])
def test_every_problem_of_a_refusal_is_told_in_order_of_place_and_each_advice_once(
    shell: Shell, file: Path, name: str
) -> None:
    file.write_text(CLASHING + "  shop: {existing: true}\n  store: {existing: true}\n")
    there = "projects.checkout.environments.staging"
    first, *lines = shell.run(name, str(file)).stderr.splitlines()
    assert first == "understudy: understudy.yaml was refused for 4 problems"
    assert [line.partition(" ")[0] + line.partition(" ")[2].partition(": ")[0] for line in lines[:4]] == [
        f"understudy.yaml:8:30:{there}.scenarios.scn_mine.mocks[0]",
        f"understudy.yaml:10:26:{there}.mocks.ovr_extraMock",
        "understudy.yaml:11:9:projects.shop",
        "understudy.yaml:12:10:projects.store",
    ]
    assert ": already_exists: " in lines[1]
    assert lines[0].endswith(": not_found: names mock 'ovr_none', which is not declared here and does not exist")
    assert [line.count("--adopt") for line in lines].count(1) == 1
    assert len(lines) == len(set(lines))


def test_one_problem_of_a_refusal_is_told_in_one_line(shell: Shell, file: Path) -> None:
    file.write_text("projects: {shop: {existing: true}}")
    lines = shell.run("apply", str(file)).stderr.splitlines()
    assert lines[0] == "understudy: understudy.yaml:1:18: projects.shop: not_found: there is no project 'shop'"


@pytest.mark.parametrize("name", ["diff", "apply"])
def test_every_problem_of_a_refusal_is_given_to_scripts(shell: Shell, file: Path, name: str) -> None:
    file.write_text(CLASHING)
    result = shell.run(name, str(file), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, result.stderr, told["ok"]) == (1, "", False)
    assert [(each["code"], each["file"], each["line"], each["column"]) for each in told["problems"]] == [
        ("not_found", "understudy.yaml", 8, 30),
        ("already_exists", "understudy.yaml", 10, 26),
    ]
    assert told["problems"][1]["field"] == "projects.checkout.environments.staging.mocks.ovr_extraMock"
    assert "--adopt" in told["problems"][1]["advice"]
    assert "untold" not in told


def test_a_field_at_fault_is_given_to_scripts_too(shell: Shell, file: Path) -> None:
    changed(file, "status: 200", "status: 999")
    for name in ("diff", "apply"):
        result = shell.run(name, str(file), "--json")
        (problem,) = json.loads(result.stdout)["problems"]
        assert (result.exit_code, problem["line"], problem["column"]) == (2, 10, 40)


def test_of_very_many_problems_the_rest_is_counted(shell: Shell, file: Path) -> None:
    projects = ", ".join(f"p{number}: {{existing: true}}" for number in range(130))
    file.write_text(f"projects: {{{projects}}}")
    first, *lines = shell.run("apply", str(file)).stderr.splitlines()
    assert first == "understudy: understudy.yaml was refused for 130 problems"
    assert lines[100] == "and 30 more"
    told = json.loads(shell.run("apply", str(file), "--json").stdout)
    assert (len(told["problems"]), told["untold"]) == (100, 30)


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
    assert shell.ok("diff", "-", typed=MANIFEST) == "the standard input: all is as declared\n"


@pytest.mark.parametrize("name", ["diff", "apply"])
def test_what_comes_through_a_pipe_and_is_applied_needs_a_source(shell: Shell, name: str) -> None:
    refused = shell.run(name, "-", typed="projects: {x: {}}")
    assert refused.exit_code == 2
    assert "source: is required; write `source: NAME` into it, or add --source NAME" in refused.stderr
    assert "1 to make" in shell.ok("diff", "-", "--source", "mine", typed="projects: {x: {}}")


def test_what_comes_through_a_pipe_is_checked_without_a_source(shell: Shell) -> None:
    result = check(shell, Path("-"), typed="projects: {x: {}}")
    assert result.stdout == "the standard input: 1 project, 0 environments, 0 mocks, 0 scenarios\n"
    result = check(shell, Path("-"), typed="source: ''\nprojects: {X: {}}")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "understudy: the standard input has a problem\nthe standard input:2:15: projects.X:"
    )


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
