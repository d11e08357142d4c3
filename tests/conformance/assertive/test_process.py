"""Section 1: how it starts, what is there from the start, and what is gone at the next one."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from e2e.conftest import clean_environment, starting
from support.assertive_server import NO_MATCH, AssertiveUser, text, using
from support.server import COMMAND

STUB = {"request": {"path": "/a"}, "action": text("a")}
_SECONDS_MAX = 60

BAD_FILES: Mapping[str, tuple[str, str]] = {
    "no JSON": ("[{", "Invalid JSON"),
    "neither a list nor an object with one": ('{"stub": []}', "stubs"),
    "an entry that is no object": (json.dumps([STUB, "text"]), "2"),
    "an entry with a scope": (json.dumps([STUB | {"scope": "team-a"}]), "cannot define scope"),
    "an entry that is no stub": (json.dumps([{"request": {}}]), "Invalid stub payload"),
    "a drop at the wrong level": (
        json.dumps([STUB | {"chaos": {"connection_drop": {"probability": 1}}}]),
        "chaos.faults.connection_drop",
    ),
    "a blank id": (json.dumps([STUB | {"stub_id": "  "}]), "id cannot be empty"),
    "an id that is too long": (json.dumps([STUB | {"id": "a" * 65}]), "a" * 65),
    "an id that is there twice": (json.dumps([STUB | {"id": "a"}, STUB | {"id": "a"}]), "a"),
}


# Runs the command once for each list of arguments, and prints how it ended and what it said. It is loaded only once:
# that takes longer than to refuse a file.
_RUN_ALL = """
import contextlib, io, json, sys
from understudy_server.cli.main import main
for arguments in json.load(sys.stdin):
    sys.argv, said, code = ["understudy", *arguments], io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, said.getvalue()]))
"""


def arguments(folder: Path, *flags: str) -> list[str]:
    doors = [part for door in ("--grpc", "--rest", "--proxy") for part in (door, "127.0.0.1:0")]
    return ["serve", "--data", str(folder / "data"), *doors, *flags]


def run(command: Sequence[str], entered: str = "") -> tuple[int, str]:
    """How a command ends by itself, and what it says."""
    done = subprocess.run(
        command, env=clean_environment(), input=entered, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=_SECONDS_MAX, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[int, str]]:
    """How a start with each of the files ends, and what is said."""
    starts = []
    for content, _ in BAD_FILES.values():
        folder = tmp_path_factory.mktemp("start")
        (folder / "stubs.json").write_text(content)
        starts.append(arguments(folder, "--assertive", "127.0.0.1:0", "--init-stubs", str(folder / "stubs.json")))
    code, said = run([sys.executable, "-c", _RUN_ALL], json.dumps(starts))
    assert code == 0, said
    return {name: tuple(json.loads(line)) for name, line in zip(BAD_FILES, said.splitlines(), strict=True)}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_of_stubs_stops_the_start(ended: Mapping[str, tuple[int, str]], name: str) -> None:
    code, said = ended[name]
    assert code not in (0, None)
    assert BAD_FILES[name][1] in said
    assert "Traceback" not in said


def test_a_file_of_stubs_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    code, said = run([*COMMAND, *arguments(tmp_path, "--assertive", "0", "--init-stubs", str(tmp_path / "no.json"))])
    assert (code != 0, "no.json" in said, "Traceback" in said) == (True, True, False)


def test_without_an_address_it_is_the_port_that_clients_look_at(tmp_path: Path) -> None:
    with socket.socket() as taken:
        # Whoever holds the port already: this server is not to get it, and says which it wanted.
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", 8910))
            taken.listen()
        code, said = run([*COMMAND, *arguments(tmp_path, "--assertive")])
    assert code != 0
    assert "port 8910 of 127.0.0.1" in said


def test_stubs_of_the_file_answer_everybody(user: AssertiveUser, scoped: AssertiveUser) -> None:
    for each in (user, scoped):
        assert each.said("GET", "/preloaded/first") == (200, "first")
        assert each.said("POST", "/preloaded/other") == (200, "second")
        assert each.said("GET", "/preloaded/third") == (200, "third")


def test_stubs_of_the_file_are_stubs_like_others(user: AssertiveUser) -> None:
    ids = [each["stub_id"] for each in user.stubs()][:4]
    assert ids[:3] == ["first-of-file", "second-of-file", "third-of-file"]
    assert [each["scope"] for each in user.stubs()][:4] == [None] * 4
    assert user.said("GET", "/preloaded/without/id") == (200, "fourth")
    assert user.said("GET", "/preloaded/without/id") == NO_MATCH
    assert user.requests("/preloaded/without/id")[0]["matched_stub_id"] == ids[3]
    assert user.delete_stub(ids[3]) == 200


def test_the_next_start_begins_with_nothing_but_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stubs = tmp_path / "stubs.json"
    stubs.write_text(json.dumps([STUB]))
    with starting(tmp_path) as start:
        with monkeypatch.context() as variables:
            variables.setenv("INIT_STUBS_FILE", str(stubs))
            first = start("--assertive", "127.0.0.1:0")
        with using(first.addresses["assertive"]) as user:
            assert not user.asserts()
            assert user.said("GET", "/a") == (200, "a")
            assert user.asserts()
            user.stub({"path": "/b"})
            scope = {"team-a": "1"}
            assert user.ask("POST", "/__mock__/scopes", json={"name": "team-a"}).status_code == 201
            assert user.ask("POST", "/__mock__/stubs", json=STUB, headers=scope).status_code == 200
            assert user.said("GET", "/a", headers=scope) == (200, "a")
        assert first.stop()[0] == 0
        second = start("--assertive", "127.0.0.1:0")
        with using(second.addresses["assertive"]) as user:
            assert (user.stubs(), user.scopes(), user.asserts()) == ([], [], False)
            assert user.said("GET", "/a", headers=scope) == NO_MATCH
            assert [each["scope"] for each in user.requests("/a")] == [None]
        assert second.stop()[0] == 0


def test_the_pages_about_the_api_are_there(user: AssertiveUser) -> None:
    document = user.ask("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.")
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert routes >= {
        ("POST", "/__mock__/stubs"), ("GET", "/__mock__/stubs"), ("DELETE", "/__mock__/stubs/{stub_id}"),
        ("GET", "/__mock__/requests"), ("POST", "/__mock__/assert"), ("POST", "/__mock__/scopes"),
        ("GET", "/__mock__/scopes"), ("DELETE", "/__mock__/scopes/{name}"),
    }  # fmt: skip
    page = user.ask("GET", "/docs")
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "openapi.json" in page.text


def test_there_is_no_other_page_about_the_api(user: AssertiveUser) -> None:
    assert user.said("GET", "/redoc") == NO_MATCH
