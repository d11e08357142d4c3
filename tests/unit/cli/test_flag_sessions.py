"""``understudy flag-session``, as typed."""

import pytest
from support.shell import Shell


def test_a_session_is_made_shown_set_and_ended(shell: Shell) -> None:
    made = shell.json("flag-session", "create", "--label", "e2e", "--ttl", "10m", "--flag", "a=true", "--flag", "b=red")
    after = shell.json("flag-session", "set", made["id"], "--flag", "c=1.10", "--unset", "a")

    assert made["token"].startswith(made["id"] + "_")
    assert (made["project"], made["label"], made["flags"]) == ("checkout", "e2e", {"a": True, "b": "red"})
    assert after["flags"] == {"b": "red", "c": 1.10}
    assert shell.json("flag-session", "get", made["id"])["flags"] == after["flags"]
    assert shell.ok("flag-session", "delete", made["id"]) == f"session {made['id']} is ended\n"
    assert shell.run("flag-session", "get", made["id"]).exit_code == 3


def test_an_evaluation_with_the_token_is_in_the_session(shell: Shell) -> None:
    made = shell.json("flag-session", "create", "--flag", "new-checkout=true")
    (found,) = shell.json("flag", "evaluate", "new-checkout", "--token", made["token"])["evaluations"]

    assert (found["reason"], found["value"]) == ("test_override", True)


def test_the_id_is_enough_where_there_are_several_projects(shell: Shell) -> None:
    made = shell.json("flag-session", "create")
    shell.ok("project", "create", "other", place=())

    assert shell.json("flag-session", "set", made["id"], "--flag", "a=1", place=())["project"] == "checkout"
    assert shell.run("flag-session", "list", place=()).exit_code == 1


def test_a_person_reads_the_token_and_what_is_odd(shell: Shell) -> None:
    made = shell.run("flag-session", "create", "--flag", "unheard=1")

    assert "token" in made.stdout
    assert "warning: " in made.stderr
    listed = shell.ok("flag-session", "list")
    assert "unheard" in listed
    # Whoever reads over a shoulder sees no secret in a list.
    assert "_" not in listed.split("sess_", 1)[1].split()[0]


def test_lists_are_in_pages_the_newest_first(shell: Shell) -> None:
    assert shell.ok("flag-session", "list").startswith("No sessions of the project. ")
    ids = [shell.json("flag-session", "create")["id"] for _ in range(3)]
    first = shell.json("flag-session", "list", "--page-size", "2")
    rest = shell.json("flag-session", "list", "--page-token", first["nextPageToken"])

    assert [each["id"] for each in first["sessions"] + rest["sessions"]] == ids[::-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "--ttl", "2d"), "--ttl"),
        (("create", "--ttl", "0"), "--ttl"),
        (("create", "--flag", "a"), "KEY=VALUE"),
        (("create", "--label", "x" * 256), "--label"),
        (("set", "sess_a"), "nothing to set"),
        (("set", "sess_a", "--flag", "a=1", "--unset", "a"), "both set and unset"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_the_command_line(
    shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    result = shell.run("flag-session", *arguments)

    assert result.exit_code in (1, 2)
    assert said in result.stderr
