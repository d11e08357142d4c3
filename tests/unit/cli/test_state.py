"""``understudy state``, as typed."""

import pytest
from support.shell import Shell

MINE = ("--session", "ci-42")


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """With the session ci-42."""
    shell.ok("session", "put", "ci-42")
    return shell


def test_a_value_that_is_set_is_printed_as_it_was_given(shell: Shell) -> None:
    said = shell.ok("state", "set", "order", '{"id": 1.10}', *MINE)
    assert said == "order of session ci-42 is set\n"
    assert shell.ok("state", "get", "order", *MINE) == '{"id": 1.10}\n'
    assert shell.json("state", "get", "order", *MINE) == {"key": "order", "value": {"id": 1.1}}


def test_state_of_a_session_a_chain_and_the_environment_are_three(shell: Shell) -> None:
    for number, whose in enumerate([(), MINE, ("--chain", "ci-42")]):
        shell.ok("state", "set", "k", str(number), *whose)
    assert [shell.ok("state", "get", "k", *whose) for whose in [(), MINE, ("--chain", "ci-42")]] == [
        "0\n",
        "1\n",
        "2\n",
    ]


def test_text_needs_no_quotes_where_it_is_said_to_be_text(shell: Shell) -> None:
    assert shell.json("state", "set", "name", 'Zoë "Z"', "--text") == {"key": "name", "value": 'Zoë "Z"'}
    assert shell.ok("state", "get", "name") == '"Zoë \\"Z\\""\n'


def test_what_is_no_json_is_refused_with_a_way_out(shell: Shell) -> None:
    result = shell.run("state", "set", "name", "Alice")
    assert result.exit_code == 1
    assert "invalid_field: VALUE is not JSON" in result.stderr
    assert "--text" in result.stderr


def test_increments_are_printed_as_they_come(shell: Shell) -> None:
    assert [shell.ok("state", "increment", "n", *MINE), shell.ok("state", "increment", "n", "--by", "-9", *MINE)] == [
        "1\n", "-8\n",
    ]  # fmt: skip
    assert shell.json("state", "increment", "n", *MINE) == {"key": "n", "value": -7}


def test_what_is_no_number_is_refused_with_a_way_out(shell: Shell) -> None:
    shell.ok("state", "set", "n", "true")
    result = shell.run("state", "increment", "n")
    assert result.exit_code == 1
    assert "not_a_number: " in result.stderr
    assert "understudy state set KEY 0" in result.stderr


def test_values_are_listed_by_the_beginning_of_their_keys(shell: Shell) -> None:
    for key in ("b", "order.name", "order.id"):
        shell.ok("state", "set", key, "[1, 2]", *MINE)
    assert shell.ok("state", "list", "--prefix", "order.", *MINE).splitlines() == [
        "KEY         VALUE",
        "order.id    [1, 2]",
        "order.name  [1, 2]",
    ]
    listed = shell.json("state", "list", *MINE)
    assert [each["key"] for each in listed["values"]] == ["b", "order.id", "order.name"]


def test_a_list_says_how_to_go_on(shell: Shell) -> None:
    for key in "abc":
        shell.ok("state", "set", key, "1")
    first = shell.ok("state", "list", "--page-size", "2").splitlines()
    token = first[-1].removeprefix("More: --page-token ")
    assert shell.ok("state", "list", "--page-size", "2", "--page-token", token).splitlines()[1:] == ["c    1"]


def test_long_values_are_cut_short_in_a_list_and_whole_by_themselves(shell: Shell) -> None:
    shell.ok("state", "set", "k", "x" * 1000, "--text")
    (_, row) = shell.ok("state", "list").splitlines()
    assert row == f'k    "{"x" * 198}…'
    assert shell.ok("state", "get", "k") == f'"{"x" * 1000}"\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list",), "No values. `understudy state set KEY VALUE` makes one.\n"),
        (("list", "--prefix", "x"), "No such values.\n"),
        (("show",), "Every machine is in its first state.\n\nNo mock that counts was used.\n"),
    ],
)
def test_where_there_is_nothing_it_says_so(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert shell.ok("state", *arguments) == said


def test_a_value_that_is_removed_is_not_found(shell: Shell) -> None:
    shell.ok("state", "set", "k", "1", *MINE)
    assert shell.ok("state", "delete", "k", *MINE) == "k of session ci-42 is removed\n"
    assert shell.json("state", "delete", "k", *MINE) == {}
    result = shell.run("state", "get", "k", *MINE)
    assert result.exit_code == 3
    assert "understudy state list" in result.stderr


def test_a_machine_is_put_into_a_state_and_back(shell: Shell) -> None:
    said = shell.ok("state", "machine", "order", "paid", *MINE)
    assert said == "machine order of session ci-42 is in the state paid\n"
    assert shell.ok("state", "show", *MINE).splitlines()[:2] == ["MACHINE  STATE", "order    paid"]
    assert shell.json("state", "show", *MINE) == {"machines": [{"machine": "order", "state": "paid"}], "uses": []}
    assert shell.json("state", "machine", "order", *MINE) == {"machine": "order", "state": "started"}


def test_one_owner_or_everything_begins_anew(shell: Shell) -> None:
    def left() -> list[int]:
        return [len(shell.json("state", "list", *whose)["values"]) for whose in [(), MINE, ("--chain", "order")]]

    for whose in [(), MINE, ("--chain", "order")]:
        shell.ok("state", "set", "k", "1", *whose)
    assert shell.ok("state", "reset", *MINE) == "the state of session ci-42 begins anew\n"
    assert left() == [1, 0, 1]
    assert shell.ok("state", "reset") == "the state of the environment begins anew\n"
    assert left() == [0, 0, 1]
    assert shell.json("state", "reset", "--everything") == {}
    assert left() == [0, 0, 0]


def test_resetting_a_session_clears_its_state_too(shell: Shell) -> None:
    shell.ok("state", "set", "k", "1", *MINE)
    shell.ok("session", "reset", "ci-42")
    assert shell.json("state", "list", *MINE)["values"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", *MINE, "--chain", "order"),
        ("reset", *MINE, "--everything"),
        ("reset", "--chain", "order", "--everything"),
    ],
)
def test_what_contradicts_itself_is_a_mistake_of_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run("state", *arguments).exit_code == 2


def test_an_unknown_session_is_told_with_where_to_look(shell: Shell) -> None:
    result = shell.run("state", "show", "--session", "nobody")
    assert result.exit_code == 3
    assert "understudy session list" in result.stderr


def test_what_the_server_refuses_is_told_by_the_flag_that_said_it(shell: Shell) -> None:
    result = shell.run("state", "list", "--chain", "x" * 101)
    assert "invalid_field: --chain has 101 characters" in result.stderr


def test_state_is_there_for_the_next_command(shell: Shell) -> None:
    """Each command opens the directory, changes it and closes it."""
    shell.ok("state", "machine", "order", "paid")
    for expected in ("1\n", "2\n", "3\n"):
        assert shell.ok("state", "increment", "n") == expected
    assert shell.json("state", "show")["machines"] == [{"machine": "order", "state": "paid"}]
