"""``understudy mock``, as typed."""

from pathlib import Path

import pytest
from support.shell import Shell
from understudy_server.cli import asking

DOWN = ("mock", "create", "--id", "ovr_down", "--method", "POST", "--path", "/api/pay", "--status", "503")


def ids(shell: Shell, *filters: str) -> list[str]:
    return [each["id"] for each in shell.json("mock", "list", *filters)["mocks"]]


def test_create_makes_a_draft_called_by_its_id(shell: Shell) -> None:
    made = shell.json(*DOWN)
    assert (made["id"], made["name"], made["state"], made["active"]) == ("ovr_down", "ovr_down", "draft", False)
    assert (made["matcher"]["path"], made["action"]["respond"]["status"]) == ("/api/pay", 503)


def test_a_mock_without_id_and_name_is_called_by_its_requests(shell: Shell) -> None:
    made = shell.json("mock", "create", "--method", "GET", "--path", "/api/cart")
    assert made["id"].startswith("ovr_")
    assert made["name"] == "GET /api/cart"


@pytest.mark.parametrize(("flag", "active"), [("--publish", False), ("--activate", True)])
def test_create_goes_on_to_publish_and_activate(shell: Shell, flag: str, active: object) -> None:
    made = shell.json(*DOWN, flag)
    assert (made["state"], made["active"]) == ("published", active)


def test_create_reads_the_form_of_the_manifest(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"a": 1.0}')
    (tmp_path / "mock.yaml").write_text(
        "name: From a file\nmatcher: GET /x\naction: {respond: {jsonFile: body.json}}\nstate: published\n"
    )
    made = shell.json("mock", "create", "--from", str(tmp_path / "mock.yaml"), "--status", "201")
    assert (made["name"], made["state"]) == ("From a file", "published")
    assert made["action"]["respond"] == {
        "status": 201,
        "headers": [],
        "json": {"a": 1.0},
        "headerTemplates": False,
        "bare": False,
    }


def test_create_reads_the_standard_input(shell: Shell) -> None:
    assert shell.json("mock", "create", "--from", "-", typed="matcher: GET /x")["name"] == "GET /x"


def test_a_form_that_cannot_be_read_is_refused_with_its_place(shell: Shell) -> None:
    result = shell.run("mock", "create", "--from", "-", typed="name: x\nmatchr: GET /x\n")
    assert result.exit_code == 2
    assert "the standard input:2:1: matchr: " in result.stderr


def test_what_the_server_refuses_of_a_form_is_told_with_its_place(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text("name: x\naction:\n  respond:\n    status: 999\n")
    result = shell.run("mock", "create", "--from", str(file))
    assert result.exit_code == 1
    assert f"{file}:4:13: invalid_field: mock.action.respond.status is 999" in result.stderr


def test_a_form_that_is_not_there_is_a_mistake_of_use(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("mock", "create", "--from", str(tmp_path / "none.yaml"))
    assert (result.exit_code, "No such file" in result.stderr) == (2, True)


def test_a_mock_of_nothing_is_made_as_a_file_makes_it(shell: Shell) -> None:
    by_command = shell.json("mock", "create", "--id", "ovr_a")
    by_form = shell.json("mock", "create", "--id", "ovr_b", "--from", "-", typed="{}")
    by_command, by_form = (
        {**made, "id": "", "name": "", "createdAt": "", "updatedAt": ""} for made in (by_command, by_form)
    )
    assert by_command == by_form
    assert by_command["state"] == "draft"


def test_a_person_is_asked_whether_a_mock_of_nothing_is_meant(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    refused = shell.run("mock", "create", "--id", "ovr_a", typed="n\n")
    assert (refused.exit_code, "--from FILE" in refused.stderr) == (2, True)
    assert shell.run("mock", "get", "ovr_a").exit_code == 3
    assert shell.run("mock", "create", "--id", "ovr_a", typed="y\n").exit_code == 0


def test_a_mock_that_was_made_and_not_activated_is_named(shell: Shell) -> None:
    result = shell.run("mock", "create", "--path", "/x", "--scenario", "scn_declined", "--id", "ovr_x", "--activate")
    assert result.exit_code == 1
    assert "ovr_x was made, and could not be switched on: invalid_override" in result.stderr


def test_a_taken_id_is_refused_with_what_to_do(shell: Shell) -> None:
    result = shell.run("mock", "create", "--id", "ovr_extraMock", "--path", "/x")
    assert result.exit_code == 1
    assert "already_exists" in result.stderr
    assert "`edit`" in result.stderr


def test_edit_changes_what_flags_name_and_nothing_else(shell: Shell) -> None:
    before = shell.json("mock", "get", "ovr_payDeclined")
    after = shell.json("mock", "edit", "ovr_payDeclined", "--status", "409", "--delay-ms", "5")
    assert after["action"]["respond"] == before["action"]["respond"] | {"status": 409}
    assert after["action"]["delay"] == {"fixedMs": 5}
    assert (after["matcher"], after["name"], after["state"]) == (before["matcher"], before["name"], "published")


def test_what_get_prints_as_yaml_can_be_given_back(shell: Shell) -> None:
    form = shell.ok("mock", "get", "ovr_payDeclined", "--yaml")
    before = shell.json("mock", "get", "ovr_payDeclined")
    after = shell.json("mock", "edit", "ovr_payDeclined", "--from", "-", typed=form)
    assert {**after, "revision": 0, "updatedAt": ""} == {**before, "revision": 0, "updatedAt": ""}


def test_a_form_can_change_the_state(shell: Shell) -> None:
    assert shell.json("mock", "edit", "ovr_extraMock", "--from", "-", typed="state: draft")["state"] == "draft"
    assert shell.json("mock", "edit", "ovr_extraMock", "--from", "-", typed="name: x")["state"] == "draft"
    assert shell.json("mock", "edit", "ovr_extraMock", "--from", "-", typed="state: published")["state"] == "published"


def test_edit_takes_flags_or_a_file(shell: Shell) -> None:
    result = shell.run("mock", "edit", "ovr_extraMock", "--status", "201", "--from", "-", typed="name: x")
    assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)


def test_edit_without_anything_says_what_to_give_where_nobody_sits(shell: Shell) -> None:
    result = shell.run("mock", "edit", "ovr_extraMock")
    assert (result.exit_code, "--from FILE" in result.stderr) == (2, True)


def test_a_mock_goes_through_its_life(shell: Shell) -> None:
    shell.ok(*DOWN)
    assert shell.ok("mock", "publish", "ovr_down") == "mock ovr_down is published\n"
    assert shell.ok("mock", "activate", "ovr_down") == "mock ovr_down is on for the whole environment\n"
    assert ids(shell, "--active") == ["ovr_down"]
    assert shell.ok("mock", "deactivate", "ovr_down") == "mock ovr_down is off for the environment as a whole\n"
    assert shell.json("mock", "unpublish", "ovr_down")["state"] == "draft"
    assert shell.ok("mock", "delete", "ovr_down") == "mock ovr_down is removed\n"
    assert shell.run("mock", "get", "ovr_down").exit_code == 3


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ((), ["ovr_declinedPay", "ovr_extraMock", "ovr_payDeclined"]),
        (("--search", "DECLINED"), ["ovr_declinedPay", "ovr_payDeclined"]),
        (("--state", "draft"), []),
        (("--scenario", "scn_declined"), ["ovr_declinedPay"]),
        (("--library",), ["ovr_extraMock", "ovr_payDeclined"]),
        (("--inactive", "--page-size", "1"), ["ovr_declinedPay"]),
    ],
)
def test_lists_are_filtered(shell: Shell, filters: tuple[str, ...], found: list[str]) -> None:
    assert ids(shell, *filters) == found


def test_a_filter_that_leaves_nothing_says_so(shell: Shell) -> None:
    assert shell.ok("mock", "list", "--state", "draft") == "No such mocks.\n"


def test_people_see_what_a_mock_does(shell: Shell) -> None:
    shown = shell.ok("mock", "get", "ovr_payDeclined")
    assert "mock        ovr_payDeclined\n" in shown
    assert "matcher: POST /api/pay\n" in shown or "  path: /api/pay\n" in shown


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_of_a_list_is_lost_on_a_terminal(shell: Shell, width: int) -> None:
    shell.ok("mock", "create", "--id", "ovr_" + "a" * 30, "--path", "/" + "b" * 70, "--name", "c" * 50)
    lines = shell.on_terminal(width, "mock", "list")
    text = "".join("".join(lines).split())
    # Columns stand side by side, so of what is broken over lines only its characters can be counted.
    assert "ovr_" + "a" * 30 in text
    assert (text.count("b"), text.count("c") >= 50) >= (70, True)


def test_a_list_is_a_table_where_there_is_room_and_records_where_not(shell: Shell) -> None:
    assert shell.on_terminal(160, "mock", "list")[0].split()[:2] == ["ID", "NAME"]
    assert shell.on_terminal(80, "mock", "list")[0].split() == ["ID", "NAME", "STATE", "REQUESTS", "ANSWER", "SCENARIO"]
    assert shell.on_terminal(40, "mock", "list")[:3] == [
        "ovr_declinedPay",
        "  name      Declined",
        "  state     published",
    ]
