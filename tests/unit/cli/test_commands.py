"""The commands as a user types them, on a data directory of their own."""

import json
import re

import pytest
from support.shell import Shell
from typer.testing import CliRunner
from understudy_server.cli.main import app


def test_put_makes_a_session_that_get_shows(shell: Shell) -> None:
    shell.run("session", "put", "ci-42", "--scenario", "scn_declined", "--label", "CI run 4821")
    assert shell.json("session", "get", "ci-42") == {
        "project": "checkout",
        "environment": "staging",
        "sessionKey": "ci-42",
        "label": "CI run 4821",
        "scenario": "scn_declined",
        "overrides": [],
        "globalDelayMs": 0,
        "globalDelayMaxMs": 0,
        "lastSeenAt": None,
        "revision": 1,
    }


def test_put_leaves_what_it_does_not_name(shell: Shell) -> None:
    shell.run("session", "put", "a", "--scenario", "scn_declined", "--delay-ms", "5", "--override", "ovr_extraMock")
    found = shell.json("session", "put", "a", "--label", "x")
    assert (found["scenario"], found["globalDelayMs"], found["overrides"]) == ("scn_declined", 5, ["ovr_extraMock"])


@pytest.mark.parametrize(
    ("given", "cleared", "field", "empty"),
    [
        (("--scenario", "scn_declined"), "--no-scenario", "scenario", None),
        (("--override", "ovr_extraMock"), "--no-overrides", "overrides", []),
        (("--label", "x"), "--no-label", "label", None),
    ],
)
def test_put_clears_what_it_is_told_to(
    shell: Shell, given: tuple[str, str], cleared: str, field: str, empty: object
) -> None:
    assert shell.json("session", "put", "a", *given)[field] != empty
    assert shell.json("session", "put", "a", cleared)[field] == empty


def test_put_gives_and_takes_a_time_to_live(shell: Shell) -> None:
    assert "expiresAt" in shell.json("session", "put", "a", "--ttl", "1h")
    assert "expiresAt" not in shell.json("session", "put", "a", "--no-ttl")


def test_put_with_a_delay_of_nothing_ends_the_delay(shell: Shell) -> None:
    shell.run("session", "put", "a", "--delay-ms", "5", "--delay-max-ms", "9")
    found = shell.json("session", "put", "a", "--delay-ms", "0", "--delay-max-ms", "0")
    assert (found["globalDelayMs"], found["globalDelayMaxMs"]) == (0, 0)


def test_giving_and_clearing_one_field_is_a_mistake_of_use(shell: Shell) -> None:
    result = shell.run("session", "put", "a", "--scenario", "scn_declined", "--no-scenario")
    assert result.exit_code == 2
    assert "--scenario is both given and cleared" in result.stderr


def test_a_bad_length_of_time_is_a_mistake_of_use(shell: Shell) -> None:
    result = shell.run("session", "put", "a", "--ttl", "soon")
    assert result.exit_code == 2
    assert "--ttl: 'soon' is not a length of time" in result.stderr


def test_an_unknown_session_is_not_found(shell: Shell) -> None:
    result = shell.run("session", "get", "nobody")
    assert result.exit_code == 3
    assert "not_found" in result.stderr
    assert result.stdout == ""


def test_a_call_that_is_refused_says_why(shell: Shell) -> None:
    result = shell.run("session", "put", "a", "--delay-ms", "120001")
    assert result.exit_code == 1
    assert "--delay-ms is 120001, more than 120000" in result.stderr


def test_the_owner_need_not_name_the_only_project(shell: Shell) -> None:
    shell.run("session", "put", "a", place=())
    assert shell.run("session", "get", "a", place=()).exit_code == 0


def test_an_unknown_option_is_a_mistake_of_use(shell: Shell) -> None:
    assert shell.run("session", "get", "a", "--nope").exit_code == 2


def test_reset_keeps_the_session_and_its_label(shell: Shell) -> None:
    shell.run("session", "put", "a", "--scenario", "scn_declined", "--label", "x")
    assert shell.json("session", "reset", "a") == {"ok": True, "mode": "reset"}
    found = shell.json("session", "get", "a")
    assert (found["scenario"], found["label"]) == (None, "x")


def test_delete_removes_the_session(shell: Shell) -> None:
    shell.run("session", "put", "a")
    assert shell.json("session", "delete", "a") == {"ok": True, "mode": "delete"}
    assert shell.run("session", "get", "a").exit_code == 3


def test_list_pages_through_the_sessions(shell: Shell) -> None:
    for key in ("a", "b"):
        shell.run("session", "put", key)
    first = shell.json("session", "list", "--page-size", "1")
    second = shell.json("session", "list", "--page-size", "1", "--page-token", first["nextPageToken"])
    assert [each["session"]["sessionKey"] for page in (first, second) for each in page["sessions"]] == ["a", "b"]


def test_an_override_is_switched_on_and_off(shell: Shell) -> None:
    assert shell.json("override", "on", "a", "ovr_extraMock") == {"overrideId": "ovr_extraMock", "active": True}
    assert shell.json("session", "get", "a")["overrides"] == ["ovr_extraMock"]
    assert shell.json("override", "off", "a", "ovr_extraMock") == {"overrideId": "ovr_extraMock", "active": False}
    assert shell.json("session", "get", "a")["overrides"] == []


def test_a_mock_of_a_scenario_cannot_be_switched_by_itself(shell: Shell) -> None:
    result = shell.run("override", "on", "a", "ovr_declinedPay")
    assert result.exit_code == 1
    assert "invalid_override" in result.stderr


def test_the_sample_has_the_scenarios_of_the_documentation(shell: Shell) -> None:
    assert shell.json("scenario", "list")["scenarios"] == [
        {"id": "scn_paymentDeclined", "name": "Payment declined", "urlId": "payment-declined"},
        {"id": "scn_declined", "name": "Declined", "urlId": "declined"},
    ]


def test_people_get_a_table(shell: Shell) -> None:
    lines = shell.run("scenario", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "scn_paymentDeclined", "scn_declined"]


def test_an_empty_list_says_what_to_do(shell: Shell) -> None:
    assert shell.run("session", "list").stdout == "No sessions. `understudy session put KEY` makes one.\n"


def test_logs_of_a_key_that_was_never_seen_are_not_found(shell: Shell) -> None:
    assert shell.run("logs", "nobody").exit_code == 3


def test_a_row_where_a_session_belongs_is_answered_with_how_to_read_its_bodies(shell: Shell) -> None:
    result = shell.run("logs", "log_01J0ZK3V8Q4C9W7M2N5R6T8XYB")
    assert (result.exit_code, "--body request or --body response" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "names_them"),
    [
        (("mock", "get", "ovr_none"), "`understudy mock list`"),
        (("scenario", "get", "scn_none"), "`understudy scenario list`"),
        (("session", "get", "none"), "`understudy session list`"),
        (("logs", "none"), "`understudy session list`"),
        (("key", "revoke", "key_none"), "`understudy key list`"),
        (("key", "rotate", "key_none"), "`understudy key list`"),
        (("release", "none"), "`understudy status`"),
        (("project", "get", "none"), "`understudy project list`"),
        (("environment", "get", "none"), "`understudy environment list --project SLUG`"),
        (("mock", "from-log", "log_01J0ZK3V8Q4C9W7M2N5R6T8XYB"), "`understudy logs KEY`"),
    ],
)
def test_what_is_not_there_is_answered_with_what_names_those_that_are(
    shell: Shell, arguments: tuple[str, ...], names_them: str
) -> None:
    result = shell.run(*arguments)
    assert (result.exit_code, names_them in result.stderr) == (3, True), result.stderr


def test_what_is_piped_has_no_blanks_at_the_ends_of_lines(shell: Shell) -> None:
    for noun in ("mock", "scenario", "environment", "project"):
        lines = shell.ok(noun, "list").splitlines()
        assert lines == [line.rstrip() for line in lines]


def test_a_session_without_traffic_has_empty_logs(shell: Shell) -> None:
    shell.run("session", "put", "a")
    assert shell.json("logs", "a") == {"logs": [], "nextCursor": None}


def test_logs_take_one_cursor_at_a_time(shell: Shell) -> None:
    assert shell.run("logs", "a", "--before", "log_1", "--since", "log_2").exit_code == 2


@pytest.mark.parametrize("flags", [("--before", "log_1"), ("--body", "request")])
def test_following_goes_forward_only(shell: Shell, flags: tuple[str, ...]) -> None:
    assert shell.run("logs", "a", "--follow", *flags).exit_code == 2


def test_following_needs_a_server_that_runs(shell: Shell) -> None:
    result = shell.run("logs", "a", "--follow")
    assert (result.exit_code, "understudy serve --data" in result.stderr) == (5, True)


def test_the_body_of_an_unknown_log_is_not_found(shell: Shell) -> None:
    assert shell.run("logs", "log_01J0ZK3V8Q4C9W7M2N5R6T8XYB", "--body", "response").exit_code == 3


def test_a_made_key_is_alone_on_the_standard_output(shell: Shell) -> None:
    result = shell.run("key", "create", place=())
    assert len(result.stdout.strip()) == 47
    assert "It is not shown again" in result.stderr


def test_a_key_is_bound_to_the_place_that_is_named(shell: Shell) -> None:
    made = shell.json("key", "create", "--role", "editor", "--name", "CI", "--expires", "30d")["key"]
    assert (made["role"], made["name"], made["project"], made["environment"]) == ("editor", "CI", "checkout", "staging")
    assert made["expiresAt"]


def test_keys_are_listed_without_their_text(shell: Shell) -> None:
    made = shell.json("key", "create")
    listed = shell.run("key", "list", "--json").stdout
    assert made["text"] not in listed
    assert json.loads(listed)["keys"][0]["id"] == made["key"]["id"]


def test_a_revoked_key_is_no_longer_active(shell: Shell) -> None:
    made = shell.json("key", "create")
    assert shell.json("key", "revoke", made["key"]["id"])["active"] is False


def test_a_rotated_key_is_alone_on_the_standard_output(shell: Shell) -> None:
    made = shell.json("key", "create")
    result = shell.run("key", "rotate", made["key"]["id"])
    assert (len(result.stdout.strip()), result.stdout.strip() == made["text"]) == (47, False)
    assert result.stderr == f"{made['key']['id']} has another text. It is not shown again.\n"


def test_keys_are_listed_with_what_they_are_and_what_they_may(shell: Shell) -> None:
    scoped = ("key", "create", "--kind", "flagbridge", "--scope")
    told = shell.run(*scoped, "mgmt").stderr
    shell.ok(*scoped, "eval")
    shell.ok("key", "create", "--role", "editor")
    head, *rows = (re.split(r" {2,}", line) for line in shell.ok("key", "list").splitlines())
    shown = [row[head.index("KIND") : head.index("STATE")] for row in rows]

    assert shown == [
        ["native", "editor", "checkout/staging"],
        ["flagbridge", "eval", "checkout/staging"],
        ["flagbridge", "mgmt", "checkout/staging and all flags of checkout"],
    ]
    assert "scope mgmt, for checkout/staging and all flags of checkout." in told
    listed = shell.json("key", "list", "--kind", "flagbridge")["keys"]
    assert [each["scope"] for each in listed] == ["eval", "mgmt"]


def test_an_unknown_key_cannot_be_revoked(shell: Shell) -> None:
    assert shell.run("key", "revoke", "key_none").exit_code == 3


def test_a_role_that_does_not_exist_is_told_with_those_that_do(shell: Shell) -> None:
    result = shell.run("key", "create", "--role", "owner")
    assert result.exit_code == 2
    assert "Invalid value for '--role': 'owner' is not one of 'ci', 'editor', 'admin'." in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("session", "get", "a"),
        ("key", "list"),
        ("scenario", "list"),
        ("override", "on", "a", "ovr_extraMock"),
        ("logs", "a"),
        ("mock", "list"),
        ("mock", "create", "--path", "/x"),
        ("scenario", "edit", "scn_declined", "--name", "x"),
        ("environment", "delete", "staging"),
        ("project", "list"),
        ("dump",),
        ("release", "x"),
    ],
)
def test_every_command_refuses_a_server_and_a_directory_at_once(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run(*arguments, "--server", "127.0.0.1:1").exit_code == 2


def test_the_version_is_that_of_the_distribution() -> None:
    assert CliRunner().invoke(app, ["version", "--json"]).stdout == '{"version": "0.1.0"}\n'


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("session", "get"), "UNDERSTUDY_CA"), (("gateway",), "UNDERSTUDY_CA"), (("serve",), "127.0.0.1:50051")],
)
def test_help_names_defaults_and_variables(arguments: tuple[str, ...], named: str) -> None:
    assert named in CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--help"]).stdout
