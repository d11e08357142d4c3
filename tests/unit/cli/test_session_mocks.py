"""``understudy session-mock``, as typed."""

from support.shell import Shell

DOWN = ("session-mock", "put", "ci-42", "ovr_down", "--method", "POST", "--path", "/api/pay", "--status", "503")


def test_put_makes_a_mock_of_the_sessions_own_by_flags(shell: Shell) -> None:
    made = shell.json(*DOWN, "--tag", "a", "--tag", "b", "--priority", "-3")
    assert (made["id"], made["name"], made["session"], made["state"], made["active"]) == (
        "ovr_down", "ovr_down", "ci-42", "published", True,
    )  # fmt: skip
    assert (made["matcher"]["path"], made["action"]["respond"]["status"]) == ("/api/pay", 503)
    assert (made["tags"], made["priority"]) == (["a", "b"], -3)
    assert shell.json("session-mock", "get", "ci-42", "ovr_down") == made


def test_put_reads_a_form_and_replaces_the_whole(shell: Shell) -> None:
    shell.ok(*DOWN, "--priority", "3")
    form = (
        "name: Mine\nmatcher: GET /x\nchain: c\n"
        "lifetime: {usesMax: 2, usesPer: chain}\nmachine: {machine: m, required: a}\n"
    )
    made = shell.json("session-mock", "put", "ci-42", "ovr_down", "--from", "-", "--status", "201", typed=form)
    assert (made["name"], made["priority"], made["revision"], made["chain"]) == ("Mine", 0, 2, "c")
    assert (made["lifetime"]["usesMax"], made["machine"]["machine"]) == (2, "m")
    assert (made["matcher"]["method"], made["action"]["respond"]["status"]) == ("GET", 201)


def test_what_the_server_refuses_is_told_with_its_place_or_its_flag(shell: Shell) -> None:
    form = "name: x\naction:\n  respond:\n    status: 999\n"
    result = shell.run("session-mock", "put", "ci-42", "ovr_a", "--from", "-", typed=form)
    assert (result.exit_code, "the standard input:4:13: invalid_field: " in result.stderr) == (1, True)
    result = shell.run("session-mock", "put", "ci-42", "ovr_a", "--tag", "a b")
    assert (result.exit_code, "--tag" in result.stderr) == (1, True)


def test_list_shows_what_a_session_owns(shell: Shell) -> None:
    shell.ok(*DOWN)
    assert [each["id"] for each in shell.json("session-mock", "list", "ci-42")["mocks"]] == ["ovr_down"]
    assert "POST /api/pay" in shell.ok("session-mock", "list", "ci-42")
    shell.ok("session", "put", "empty", "--label", "x")
    assert shell.ok("session-mock", "list", "empty").startswith("No mocks of its own. ")


def test_delete_removes_one(shell: Shell) -> None:
    shell.ok(*DOWN)
    assert shell.ok("session-mock", "delete", "ci-42", "ovr_down") == "mock ovr_down of session ci-42 is removed\n"
    assert shell.run("session-mock", "get", "ci-42", "ovr_down").exit_code == 3
    assert shell.run("session-mock", "delete", "ci-42", "ovr_down").exit_code == 3


def test_reset_takes_them(shell: Shell) -> None:
    shell.ok(*DOWN)
    shell.ok("session", "reset", "ci-42")
    assert shell.json("session-mock", "list", "ci-42")["mocks"] == []


def test_a_seed_is_set_and_cleared(shell: Shell) -> None:
    assert shell.json("session", "put", "ci-42", "--seed", "0")["seed"] == 0
    assert "seed" in shell.ok("session", "get", "ci-42")
    assert shell.json("session", "put", "ci-42", "--label", "x")["seed"] == 0
    assert "seed" not in shell.json("session", "put", "ci-42", "--no-seed")
    assert shell.run("session", "put", "ci-42", "--seed", "1", "--no-seed").exit_code == 2
