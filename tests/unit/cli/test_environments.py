"""``understudy environment`` and ``understudy project``, as typed."""

import pytest
from support.shell import Shell
from understudy_server.cli import asking

QA = ("environment", "create", "qa", "--upstream", "https://qa.example.com")


@pytest.fixture
def seated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits at the terminal."""
    monkeypatch.setattr(asking, "on_terminal", lambda: True)


def test_create_makes_an_environment_by_flags(shell: Shell) -> None:
    made = shell.json(
        *QA, "--host", "qa.example.com", "--carrier", "cookie=sid", "--carrier", "jwt=user.id", "--strict",
        "--redact-json", "$.card", "--redact-header", "x-token",
    )  # fmt: skip
    assert (made["project"], made["slug"], made["name"]) == ("checkout", "qa", "qa")
    assert (made["upstream"], made["hosts"], made["strict"]) == ("https://qa.example.com", ["qa.example.com"], True)
    assert made["carriers"] == [{"cookie": "sid"}, {"jwtClaim": "user.id"}]
    masked = {"headers": ["x-token"], "query": [], "jsonPaths": ["$.card"], "keepCredentials": False}
    assert made["redaction"] == masked


def test_credentials_are_kept_in_the_record_or_masked_by_flags(shell: Shell) -> None:
    assert shell.json(*QA, "--keep-credentials")["redaction"]["keepCredentials"] is True
    assert "kept in the record" in shell.ok("environment", "get", "qa")
    assert shell.json("environment", "edit", "qa", "--mask-credentials")["redaction"]["keepCredentials"] is False
    assert "kept in the record" not in shell.ok("environment", "get", "qa")


def test_the_environment_that_is_named_by_the_place_is_not_the_one_to_make(shell: Shell) -> None:
    shell.ok(*QA)
    slugs = [each["slug"] for each in shell.json("environment", "list")["environments"]]
    assert slugs == ["qa", "staging"]


def test_edit_changes_what_flags_name_and_nothing_else(shell: Shell) -> None:
    shell.ok(*QA, "--host", "qa.example.com", "--strict")
    after = shell.json("environment", "edit", "qa", "--host", "", "--tunnel-upgrades")
    assert (after["hosts"], after["strict"], after["tunnelUpgrades"]) == ([], True, True)
    assert after["upstream"] == "https://qa.example.com"


def test_limits_and_cors_are_set_and_cleared_by_flags(shell: Shell) -> None:
    made = shell.json(*QA, "--request-body-bytes-max", "1000", "--captured-bytes-max", "0", "--first-byte-ms", "5",
        "--forward-preflights", "--leave-answers",
    )  # fmt: skip
    assert made["limits"] == made["limits"] | {"requestBodyBytesMax": 1000, "capturedBytesMax": 0, "firstByteMs": 5}
    assert made["cors"] == {"forwardPreflights": True, "leaveAnswers": True}
    after = shell.json("environment", "edit", "qa", "--captured-bytes-max", "", "--no-leave-answers")
    assert (after["limits"]["requestBodyBytesMax"], after["limits"].get("capturedBytesMax")) == (1000, None)
    assert after["cors"] == {"forwardPreflights": True, "leaveAnswers": False}
    after = shell.json("environment", "edit", "qa", "--request-body-bytes-max", "", "--first-byte-ms", "")
    assert (after["limits"]["requestBodyBytesMax"], after["limits"]["firstByteMs"]) == (0, 0)


def test_the_limits_of_the_record_are_set_cleared_and_told(shell: Shell) -> None:
    made = shell.json(*QA, "--session-log-entries-max", "1", "--session-log-bytes-max", "2", "--log-entries-max", "3",
        "--log-bytes-max", "4", "--log-retention-seconds", "5",
    )  # fmt: skip
    assert made["limits"] == {
        "requestBodyBytesMax": 0,
        "firstByteMs": 0,
        "sessionLogEntriesMax": 1,
        "sessionLogBytesMax": 2,
        "logEntriesMax": 3,
        "logBytesMax": 4,
        "logRetentionSeconds": 5,
    }
    told = "log of a session 1 exchanges, log of a session 2 bytes, log 3 exchanges, log 4 bytes, log 5 s"
    assert told in shell.ok("environment", "get", "qa")
    form = shell.ok("environment", "get", "qa", "--yaml")
    shell.ok("environment", "create", "qa2", "--from", "-", typed=form)
    assert shell.json("environment", "get", "qa2")["limits"] == made["limits"]
    after = shell.json("environment", "edit", "qa", "--session-log-entries-max", "", "--log-retention-seconds", "")
    assert [after["limits"][name] for name in ("sessionLogEntriesMax", "logRetentionSeconds")] == [0, 0]
    assert after["limits"]["logEntriesMax"] == 3


@pytest.mark.parametrize("number", ["many", "-1", "1.5", "9" * 30, "4294967296"])
def test_a_limit_that_is_no_number_is_a_mistake_of_use(shell: Shell, number: str) -> None:
    result = shell.run(*QA, "--first-byte-ms", number)
    assert (result.exit_code, "--first-byte-ms" in result.stderr) == (2, True)


def test_a_form_says_all_settings(shell: Shell) -> None:
    shell.ok(*QA, "--strict")
    after = shell.json("environment", "edit", "qa", "--from", "-", typed="limits: {firstByteMs: 5}")
    assert (after["strict"], after["upstream"], after["limits"]["firstByteMs"]) == (False, "", 5)


def test_what_get_prints_as_yaml_makes_the_same_elsewhere(shell: Shell) -> None:
    shell.ok(*QA, "--carrier", "query=s", "--pass-session-header", "--strict")
    form = shell.ok("environment", "get", "qa", "--yaml")
    shell.ok("environment", "create", "qa2", "--from", "-", typed=form)
    assert shell.ok("environment", "get", "qa2", "--yaml") == form


def test_a_form_that_holds_mocks_is_refused(shell: Shell) -> None:
    result = shell.run("environment", "create", "qa", "--from", "-", typed="mocks: {ovr_x: {}}")
    assert (result.exit_code, "understudy apply FILE" in result.stderr) == (2, True)


def test_what_the_server_refuses_of_a_form_is_told_with_its_place(shell: Shell) -> None:
    result = shell.run("environment", "edit", "staging", "--from", "-", typed="strict: true\nupstream: ftp://x\n")
    assert (result.exit_code, "the standard input:2:11: invalid_field" in result.stderr) == (1, True)


@pytest.mark.parametrize("carrier", ["sid", "body=x", "cookie="])
def test_a_carrier_that_is_none_is_refused(shell: Shell, carrier: str) -> None:
    result = shell.run(*QA, "--carrier", carrier)
    assert (result.exit_code, "cookie=NAME" in result.stderr) == (2, True)


def test_an_environment_with_content_stays_and_is_told(shell: Shell) -> None:
    shell.ok("session", "put", "a")
    result = shell.run("environment", "delete", "staging")
    assert result.exit_code == 1
    assert "not_empty: environment checkout/staging has 3 mocks, 2 scenarios and 1 session" in result.stderr
    assert "--force" in result.stderr
    assert shell.run("environment", "get", "staging").exit_code == 0


def test_what_is_forced_goes_without_a_question_where_nobody_sits(shell: Shell) -> None:
    assert shell.ok("environment", "delete", "staging", "--force") == "environment checkout/staging is removed\n"
    assert shell.run("environment", "get", "staging").exit_code == 3


@pytest.mark.usefixtures("seated")
def test_what_is_forced_is_asked_about_on_a_terminal(shell: Shell) -> None:
    refused = shell.run("environment", "delete", "staging", "--force", typed="n\n")
    assert refused.exit_code == 1
    assert "Remove environment checkout/staging, with 3 mocks and 2 scenarios? [y/N]" in refused.stderr
    assert "nothing was removed" in refused.stderr
    assert shell.run("environment", "get", "staging").exit_code == 0
    assert shell.run("environment", "delete", "staging", "--force", typed="y\n").exit_code == 0
    assert shell.run("environment", "get", "staging").exit_code == 3


@pytest.mark.usefixtures("seated")
def test_yes_is_an_answer_before_the_question(shell: Shell) -> None:
    assert "?" not in shell.ok("environment", "delete", "staging", "--force", "--yes")


def test_a_project_is_made_changed_and_removed(shell: Shell) -> None:
    assert shell.json("project", "create", "shop", "--name", "Shop")["name"] == "Shop"
    assert shell.json("project", "edit", "shop", "--name", "The shop")["name"] == "The shop"
    assert shell.json("project", "edit", "shop", "--from", "-", typed="name: From a form")["name"] == "From a form"
    assert shell.ok("project", "get", "shop", "--yaml") == "name: From a form\n"
    assert [each["slug"] for each in shell.json("project", "list")["projects"]] == ["checkout", "shop"]
    assert [each["slug"] for each in shell.json("project", "list", "--search", "SHOP")["projects"]] == ["shop"]
    assert shell.ok("project", "delete", "shop") == "project shop is removed\n"
    assert shell.run("project", "get", "shop").exit_code == 3


def test_a_project_with_content_stays_and_is_told(shell: Shell) -> None:
    result = shell.run("project", "delete", "checkout")
    assert result.exit_code == 1
    assert "not_empty: project checkout has 1 environment, 3 mocks and 2 scenarios" in result.stderr
    assert shell.run("project", "delete", "checkout", "--force").exit_code == 0


def test_a_form_that_holds_environments_is_refused(shell: Shell) -> None:
    result = shell.run("project", "create", "shop", "--from", "-", typed="environments: {qa: {}}")
    assert (result.exit_code, "understudy apply FILE" in result.stderr) == (2, True)


def test_keys_are_listed_by_what_they_are(shell: Shell) -> None:
    made = shell.json("key", "create", "--name", "Nightly")["key"]["id"]
    shell.ok("key", "create", "--role", "editor", "--name", "Robot")
    for filters in (("--search", "night"), ("--role", "ci")):
        assert [each["id"] for each in shell.json("key", "list", *filters)["keys"]] == [made]
    assert shell.ok("key", "list", "--inactive") == "No such keys.\n"
    assert len(shell.json("key", "list", "--active")["keys"]) == 2
