"""Files: bounded, inside one folder, and read as they are at one moment."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.manifest_texts import file_problems, manifest, problems, write_files
from understudy.v1.actions_pb2 import Respond
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy_server.manifest.files import Files
from understudy_server.manifest.limits import READ_ATTEMPTS_MAX
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import read_manifest, read_value

_BESIDE = "projects: {{p: {{environments: {{e: {{mocks: {{ovr_a: {{action: {{respond: {{{}}}}}}}}}}}}}}}}}"
_INSIDE = "name a file inside the folder of the first one, by a relative path"
_PLACE = "projects.p.environments.e.mocks.ovr_a.action.respond"


def test_bodies_may_stand_in_files_beside(tmp_path: Path) -> None:
    def respond(body: str, content: bytes) -> Respond:
        read = manifest(tmp_path, {"u.yaml": _BESIDE.format(body), "bodies/b": content})
        return read.projects["p"].environments["e"].mocks["ovr_a"].action.respond

    assert (
        respond("jsonFile: bodies/b", b'\xef\xbb\xbf{ "a" : [1.50,\n "x  y\\"" ] }\n').json == '{"a":[1.50,"x  y\\""]}'
    )
    assert respond("textFile: ./bodies/b", b"a\r\n${B}\n").text == "a\r\n${B}\n"
    assert respond("binaryFile: bodies/b", b"\x00\xff").binary == b"\x00\xff"
    assert respond("textFile: bodies/b", b"").WhichOneof("body") == "text"


def test_a_body_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    inner = "mocks: {ovr_a: {action: {respond: {textFile: b.txt}}}}"
    files = {"u.yaml": "projects: {p: {environments: {e: {include: a/i.yaml}}}}", "a/i.yaml": inner, "a/b.txt": "here"}
    assert manifest(tmp_path, files).projects["p"].environments["e"].mocks["ovr_a"].action.respond.text == "here"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("jsonFile: no.json", "there is no file no.json; name one that exists"),
        ("jsonFile: bad.json", "bad.json is not JSON: Expecting value at character 1; write one JSON value into it"),
        (
            "jsonFile: twice.json",
            "twice.json is not JSON: a key appears twice in one object; write one JSON value into it",
        ),
        ("jsonFile: latin.txt", "latin.txt is not in UTF-8; save it as UTF-8"),
        ("textFile: latin.txt", "latin.txt is not in UTF-8; save it as UTF-8"),
        ("textFile: folder", "folder is not a file; name a file"),
        ("textFile: pipe", "pipe is not a regular file; name a file"),
        ("textFile: u.yaml/x", "u.yaml/x is not a file; name a file"),
        (
            "textFile: /etc/passwd",
            f"'/etc/passwd' is an absolute path; {_INSIDE}",
        ),
        (
            'textFile: ""',
            f"is not the name of a file; {_INSIDE}",
        ),
        (f"textFile: {'a/' * 2048}b", f"is not the name of a file; {_INSIDE}"),
        ("textFile: loop", "loop cannot be read: Too many levels of symbolic links"),
        ("textFile: [a]", "must be a single value, not a list; write it behind the ':'"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told(body: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    files: dict[str, str | bytes] = {
        "u.yaml": _BESIDE.format(body),
        "bad.json": "[",
        "twice.json": '{"a": 1, "a": 2}',
        "latin.txt": b"\xe9",
    }
    (found,) = file_problems(tmp_path, files)
    assert found.partition(": ")[2] == f"{_PLACE}.{body.partition(':')[0]}: {said}"


@pytest.mark.parametrize("name", ["../secret", "link", "linked/secret", "inside/../../secret"])
def test_no_path_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    folder = tmp_path / "in"
    (folder / "inside").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    (said,) = file_problems(folder, {"u.yaml": _BESIDE.format(f"textFile: {name}")})
    assert f"leads out of the folder {folder}; name a file inside the folder of the first one" in said


def test_an_include_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("projects: {}")
    for pattern, named in (("../secret.yaml", "secret.yaml"), ("../*.yaml", "..")):
        (said,) = file_problems(tmp_path / "in", {"u.yaml": f"include: '{pattern}'"})
        assert f"{named} leads out of the folder {tmp_path / 'in'}; name" in said


def test_links_within_the_folder_and_to_the_first_file_are_followed(tmp_path: Path) -> None:
    # As volumes of configuration are mounted: all files are links into a folder that is exchanged as a whole.
    write_files(tmp_path, {"in/..data/u.yaml": "include: b.yaml", "in/..data/b.yaml": "projects: {b: {}}"})
    for name in ("u.yaml", "b.yaml"):
        (tmp_path / "in" / name).symlink_to(Path("..data", name))
    assert list(read_manifest(tmp_path / "in" / "u.yaml", {}).message.projects) == ["b"]
    (tmp_path / "elsewhere.yaml").symlink_to(tmp_path / "in" / "u.yaml")
    (tmp_path / "b.yaml").write_text("projects: {c: {}}")
    assert list(read_manifest(tmp_path / "elsewhere.yaml", {}).message.projects) == ["c"]


def test_the_first_file_must_be_there_and_be_one(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    assert _refused(path) == [f"{path}:1:1: there is no file {path}; name one that exists"]
    assert _refused(tmp_path) == [f"{tmp_path}:1:1: {tmp_path} is not a file; name a file"]
    os.mkfifo(path)
    assert _refused(path) == [f"{path}:1:1: {path} is not a regular file; name a file"]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_files(tmp_path, {"u.yaml": "projects: {}"})

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    # The superuser may read everything, so that no mode of the file would do.
    monkeypatch.setattr("understudy_server.manifest.files._open", refuse)
    assert _refused(path) == [f"{path}:1:1: {path} may not be read; let the user that runs this read it"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "u.yaml:1:1: the file holds nothing; write projects: {} to declare nothing"),
        ("# nothing\n", "u.yaml:1:1: the file holds nothing; write projects: {} to declare nothing"),
        (b"source: \xe9", "u.yaml:1:9: the file is not in UTF-8; save it as UTF-8"),
        (
            "source: a".encode("utf-16-le"),
            'u.yaml:1:2: the unprintable character U+0000 stands here; in double quotes it can be written as "\\u0000"',
        ),
        ("#" * (8 * 2**20 + 1), "u.yaml:1:1: u.yaml is larger than 8 MiB; make it smaller, or split it"),
    ],
)
def test_a_first_file_that_is_no_manifest_is_refused(content: str | bytes, said: str, tmp_path: Path) -> None:
    assert file_problems(tmp_path, {"u.yaml": content}) == [said]


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    files = {"u.yaml": "include: [a.yaml, b.yaml, c.yaml]", **{f"{n}.yaml": "#" * 6 * 2**20 for n in "abc"}}
    assert file_problems(tmp_path, files)[0] == (
        "u.yaml:1:27: include: all files together are larger than 16 MiB; make them smaller"
    )


def test_a_text_is_bounded_as_a_file_is() -> None:
    assert problems("#" * (8 * 2**20 + 1)) == ["f.yaml:1:1: the text is larger than 8 MiB; make it smaller"]


def test_a_text_that_is_no_unicode_is_refused() -> None:
    assert problems("name: \ud800") == ["f.yaml:1:7: the file is not in UTF-8; save it as UTF-8"]


def test_a_text_names_files_only_with_a_folder(tmp_path: Path) -> None:
    text = "action: {respond: {textFile: b.txt}}"
    said = "f.yaml:1:30: action.respond.textFile: no files can be named here; write the value in place"
    assert problems(text, ManifestMock) == [said]
    write_files(tmp_path, {"b.txt": "b"})
    assert read_value(text, "f.yaml", ManifestMock, {}, tmp_path).message.action.respond.text == "b"


def test_the_source_is_the_name_of_the_file_unless_it_names_one(tmp_path: Path) -> None:
    assert manifest(tmp_path, {"a/team.yaml": "projects: {}"}).source == "team.yaml"
    assert manifest(tmp_path, {"b.yaml": "source: other"}).source == "other"


def test_settings_of_the_server_are_left_alone(tmp_path: Path) -> None:
    content = "server: {grpc: 127.0.0.1:0, api_rate: 120/60}\nprojects: {p: {}}"
    assert list(manifest(tmp_path, {"u.yaml": content}).projects) == ["p"]


def test_what_was_read_is_told(tmp_path: Path) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: 'm/*.yaml'", "m/a.yaml": "projects: {}"})
    read = read_manifest(path, {})
    assert read.files == (path, tmp_path / "m/a.yaml", tmp_path / "m")
    assert read_manifest(path, {}).digest == read.digest
    (tmp_path / "m/a.yaml").write_text("projects: {a: {}}")
    assert read_manifest(path, {}).digest != read.digest


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: a.yaml", "a.yaml": "projects: {old: {}}"})
    _when_read(monkeypatch, 1, lambda: _write(tmp_path / "a.yaml", "projects: {new: {}}  #"))
    assert list(read_manifest(path, {}).message.projects) == ["new"]


def test_a_problem_of_a_file_that_changes_meanwhile_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: a.yaml"})
    _when_read(monkeypatch, 1, lambda: _write(tmp_path / "a.yaml", "projects: {new: {}}"))
    assert list(read_manifest(path, {}).message.projects) == ["new"]


def test_a_file_that_comes_to_a_pattern_meanwhile_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: 'm/*.yaml'", "m/a.yaml": "projects: {a: {}}"})
    _when_read(monkeypatch, 1, lambda: _write(tmp_path / "m/b.yaml", "projects: {b: {}}"))
    assert sorted(read_manifest(path, {}).message.projects) == ["a", "b"]


def test_files_that_never_rest_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_files(tmp_path, {"u.yaml": "projects: {}"})

    def grow() -> None:
        _write(path, path.read_text() + "#")

    _when_read(monkeypatch, READ_ATTEMPTS_MAX, grow)
    assert _refused(path) == [f"{path}:1:1: the files change while they are read; try again when they rest"]


def _when_read(monkeypatch: pytest.MonkeyPatch, times: int, change: Callable[[], None]) -> None:
    """Change something after the first file is read and before it is looked at again, so many times."""
    left = [times]
    unchanged = Files.is_unchanged

    def changing(self: Files) -> bool:
        if left[0]:
            left[0] -= 1
            change()
        return unchanged(self)

    monkeypatch.setattr(Files, "is_unchanged", changing)


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _refused(path: Path) -> list[str]:
    with pytest.raises(Unreadable) as refused:
        read_manifest(path, {})
    return [str(problem) for problem in refused.value.problems]
