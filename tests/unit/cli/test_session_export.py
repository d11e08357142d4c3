"""``understudy session export``: one archive, whole or not at all."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from support.recorded_calls import call, record
from support.shell import Shell


@pytest.fixture
def exported(shell: Shell, data: Path, tmp_path: Path) -> zipfile.ZipFile:
    """An archive of a session with two exchanges and a verification."""
    shell.ok("session", "put", "ci-42", "--seed", "7")
    record(data, [call(headers=((b"authorization", b"[redacted]"),)), call("GET", "/api/cart", body=b"")])
    shell.ok("verify", "ci-42", "--path", "/api/pay")
    shell.ok("session", "export", "ci-42", "-o", str(tmp_path / "a.zip"))
    content = (tmp_path / "a.zip").read_bytes()
    return zipfile.ZipFile(io.BytesIO(content))


def test_it_holds_all_that_is_on_record(exported: zipfile.ZipFile) -> None:
    assert sorted(exported.namelist()) == [
        "bundle.json",
        "exchanges.har",
        "exchanges.jsonl",
        "health.json",
        "junit.xml",
        "session.json",
        "state.json",
        "verifications.json",
    ]
    rows = [json.loads(line) for line in exported.read("exchanges.jsonl").splitlines()]
    assert [row["path"] for row in rows] == ["/api/pay", "/api/cart"]
    entries = json.loads(exported.read("exchanges.har"))["log"]["entries"]
    assert entries[0]["request"]["postData"]["text"] == '{"amount":1180}'
    assert b'tests="1"' in exported.read("junit.xml")


def test_its_listing_has_the_hash_of_each_file(exported: zipfile.ZipFile) -> None:
    listing = json.loads(exported.read("bundle.json"))["files"]
    assert listing == {
        name: hashlib.sha256(exported.read(name)).hexdigest() for name in exported.namelist() if name != "bundle.json"
    }


def test_what_is_told_is_the_hash_of_the_file(shell: Shell, tmp_path: Path) -> None:
    shell.ok("session", "put", "ci-42")
    file = tmp_path / "a.zip"
    told = shell.json("session", "export", "ci-42", "-o", str(file))
    assert told == {"file": str(file), "exchanges": 0, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def test_its_listing_says_whose_it_is(exported: zipfile.ZipFile) -> None:
    listing = json.loads(exported.read("bundle.json"))
    assert {name: listing[name] for name in ("session", "project", "environment", "seed", "exchanges", "complete")} == {
        "session": "ci-42",
        "project": "checkout",
        "environment": "staging",
        "seed": 7,
        "exchanges": 2,
        "complete": True,
    }


def test_the_session_may_be_gone(shell: Shell, data: Path, tmp_path: Path) -> None:
    shell.ok("session", "put", "ci-42")
    record(data, [call()])
    shell.ok("session", "delete", "ci-42")
    shell.ok("session", "export", "ci-42", "-o", str(tmp_path / "a.zip"))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert "session.json" not in archive.namelist()
        assert json.loads(archive.read("bundle.json"))["exchanges"] == 1


def test_a_session_of_the_project_is_exported_without_its_token(shell: Shell, tmp_path: Path) -> None:
    made = shell.json("flag-session", "create", "--flag", "a=true")
    shell.ok("flag", "evaluate", "a", "--token", made["token"])
    shell.ok("session", "export", made["id"], "-o", str(tmp_path / "a.zip"))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        shown = json.loads(archive.read("session.json"))
        assert (shown["id"], shown["flags"], shown["token"]) == (made["id"], {"a": True}, "")
        assert all(made["token"].encode() not in archive.read(each) for each in archive.namelist())
        assert json.loads(archive.read("bundle.json"))["exchanges"] == 1
        assert json.loads(archive.read("health.json"))["sessionExists"] is True


def test_a_key_that_nobody_knows_leaves_no_file(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("session", "export", "nobody", "-o", str(tmp_path / "a.zip"))
    assert (result.exit_code, "there is no session 'nobody'" in result.stderr) == (3, True)
    assert list(tmp_path.glob("*.zip*")) == []
    assert list(tmp_path.glob(".a.zip*")) == []


def test_a_file_that_is_there_stays_unless_it_is_meant(shell: Shell, tmp_path: Path) -> None:
    shell.ok("session", "put", "ci-42")
    file = tmp_path / "a.zip"
    file.write_bytes(b"mine")
    assert shell.run("session", "export", "ci-42", "-o", str(file)).exit_code == 2
    assert file.read_bytes() == b"mine"
    shell.ok("session", "export", "ci-42", "-o", str(file), "--force")
    assert zipfile.is_zipfile(file)


def test_a_place_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    shell.ok("session", "put", "ci-42")
    result = shell.run("session", "export", "ci-42", "-o", str(tmp_path / "none" / "a.zip"))
    assert (result.exit_code, "cannot write" in result.stderr) == (1, True)


def test_a_journal_that_was_purged_holds_nothing(shell: Shell, data: Path, tmp_path: Path) -> None:
    shell.ok("session", "put", "ci-42")
    record(data, [call()])
    shell.ok("session", "delete", "ci-42", "--purge-journal")
    assert shell.run("logs", "ci-42").exit_code == 3
    assert shell.run("session", "export", "ci-42", "-o", str(tmp_path / "a.zip")).exit_code == 3


def test_what_an_earlier_session_of_the_key_did_is_left_out_and_what_found_none_is_not(
    shell: Shell, data: Path, tmp_path: Path
) -> None:
    shell.ok("session", "put", "ci-42")
    record(data, [call(path="/earlier")])
    shell.ok("session", "delete", "ci-42")
    shell.ok("session", "put", "ci-42")
    record(data, [call(path="/too-soon")], in_session=False)
    record(data, [call(path="/now")])
    shell.ok("session", "export", "ci-42", "-o", str(tmp_path / "a.zip"))
    lines = zipfile.ZipFile(tmp_path / "a.zip").read("exchanges.jsonl").splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["/too-soon", "/now"]
