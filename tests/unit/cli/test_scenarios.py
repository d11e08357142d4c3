"""``understudy scenario``, as typed."""

from support.shell import Shell

FORM = """\
name: Slow
mocks: [ovr_extraMock]
localMocks:
  ovr_slow: {matcher: GET /slow, action: {delay: {fixedMs: 5}}}
  ovr_later: {matcher: GET /later, state: draft}
"""


def states(shell: Shell, scenario_id: str) -> dict[str, str]:
    found = shell.json("mock", "list", "--scenario", scenario_id)["mocks"]
    return {each["id"]: each["state"] for each in found}


def test_create_makes_a_scenario_by_flags(shell: Shell) -> None:
    made = shell.json("scenario", "create", "--name", "Empty cart", "--mock", "ovr_extraMock", "--id", "scn_empty")
    assert (made["id"], made["urlId"], made["mocks"]) == ("scn_empty", "empty-cart", ["ovr_extraMock"])


def test_a_scenario_needs_a_name(shell: Shell) -> None:
    assert shell.run("scenario", "create", "--mock", "ovr_extraMock").exit_code == 2


def test_a_form_brings_its_own_mocks_published_unless_drafts(shell: Shell) -> None:
    made = shell.json("scenario", "create", "--id", "scn_slow", "--from", "-", typed=FORM)
    assert (made["name"], made["mocks"], sorted(made["localMocks"])) == (
        "Slow",
        ["ovr_extraMock"],
        ["ovr_later", "ovr_slow"],
    )
    assert states(shell, "scn_slow") == {"ovr_later": "draft", "ovr_slow": "published"}


def test_of_a_form_that_is_refused_nothing_stays(shell: Shell) -> None:
    form = "name: x\nlocalMocks:\n  ovr_new: {matcher: GET /x}\n  ovr_extraMock: {matcher: GET /y}\n"
    result = shell.run("scenario", "create", "--id", "scn_x", "--from", "-", typed=form)
    assert result.exit_code == 1
    assert "the standard input:4:18: ovr_extraMock: already_exists: " in result.stderr
    assert shell.run("scenario", "get", "scn_x").exit_code == 3
    assert shell.run("mock", "get", "ovr_new").exit_code == 3


def test_what_the_server_refuses_of_a_mock_in_the_form_is_told_with_its_place(shell: Shell) -> None:
    form = "name: x\nlocalMocks:\n  ovr_new:\n    action:\n      respond: {status: 999}\n"
    result = shell.run("scenario", "create", "--from", "-", typed=form)
    assert "the standard input:5:25: ovr_new: invalid_field: " in result.stderr


def test_edit_changes_what_flags_name_and_nothing_else(shell: Shell) -> None:
    after = shell.json("scenario", "edit", "scn_paymentDeclined", "--mock", "ovr_extraMock")
    assert (after["name"], after["urlId"], after["mocks"]) == (
        "Payment declined",
        "payment-declined",
        ["ovr_extraMock"],
    )
    assert shell.json("scenario", "edit", "scn_paymentDeclined", "--mock", "")["mocks"] == []


def test_edit_changes_the_mocks_that_the_form_has_and_leaves_others(shell: Shell) -> None:
    shell.ok("scenario", "create", "--id", "scn_slow", "--from", "-", typed=FORM)
    mocks = "ovr_slow: {matcher: PUT /slow, state: published}, ovr_third: {matcher: GET /z}"
    form = f"name: Slower\nlocalMocks: {{{mocks}}}\n"
    shell.ok("scenario", "edit", "scn_slow", "--from", "-", typed=form)
    assert shell.json("mock", "get", "ovr_slow")["matcher"]["method"] == "PUT"
    assert states(shell, "scn_slow") == {"ovr_later": "draft", "ovr_slow": "published", "ovr_third": "published"}


def test_what_get_prints_as_yaml_makes_the_same_elsewhere(shell: Shell) -> None:
    shell.ok("scenario", "create", "--id", "scn_slow", "--from", "-", typed=FORM)
    form = shell.ok("scenario", "get", "scn_slow", "--yaml")
    shell.ok("scenario", "delete", "scn_slow")
    shell.ok("scenario", "create", "--id", "scn_slow", "--from", "-", typed=form)
    assert shell.ok("scenario", "get", "scn_slow", "--yaml") == form


def test_delete_says_what_went_with_it(shell: Shell) -> None:
    assert shell.ok("scenario", "delete", "scn_declined") == "scenario scn_declined is removed, and 1 mock of its own\n"
    assert shell.run("mock", "get", "ovr_declinedPay").exit_code == 3


def test_a_list_can_be_of_those_with_a_mock(shell: Shell) -> None:
    found = shell.json("scenario", "list", "--mock", "ovr_payDeclined")["scenarios"]
    assert [each["id"] for each in found] == ["scn_paymentDeclined"]
    assert shell.ok("scenario", "list", "--mock", "ovr_none") == "No such scenarios.\n"
