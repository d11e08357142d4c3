"""Patterns of files: what they match, what they refuse to guess, and that they come to an end."""

import errno
import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manifest_texts import file_problems, write_files
from understudy_server.manifest import patterns
from understudy_server.manifest.files import Files
from understudy_server.manifest.patterns import Patterns
from understudy_server.manifest.problems import BadValue, Unreadable
from understudy_server.manifest.reading import read_manifest

_ADVICE = "let the user that runs this look into it, or narrow the pattern"
_FILES = (
    "a.yaml",
    "b.yml",
    ".c.yaml",
    "m/a.yaml",
    "m/.d/a.yaml",
    "m/n/a.yaml",
    "m/n/o/b.yaml",
    ".h/a.yaml",
    "[x]/a.yaml",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files and folders, hidden ones too."""
    folder = tmp_path_factory.mktemp("patterns")
    write_files(folder, dict.fromkeys(_FILES, ""))
    (folder / "nowhere.yaml").symlink_to("none")
    (folder / "itself").symlink_to("itself")
    return folder


def _match(folder: Path, pattern: str) -> Sequence[str]:
    return Patterns(folder).match(folder, pattern)


_PARTS = st.sampled_from(
    ["*", "**", "m", "n", "?", "*.yaml", "[mn]", "[!m]*", "a.yaml", "**a*", ".*", ".h", "[x]", "none"]
)


@given(st.lists(_PARTS, min_size=1, max_size=5).map("/".join).filter(glob.has_magic))
def test_a_pattern_matches_what_it_matches_in_a_shell(folder: Path, pattern: str) -> None:
    # Where there are no circles and nothing is out of reach, Python's own reading of patterns is the measure.
    found = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207
    # It gives `none/` for `none/**`, whether there is such a folder or not.
    files = {name for name in found if not (folder / name).is_dir() and not name.endswith("/")}
    assert _match(folder, pattern) == sorted(files)


def test_a_link_that_leads_nowhere_is_matched_and_told(tmp_path: Path) -> None:
    (tmp_path / "lost.yaml").symlink_to("none.yaml")
    assert file_problems(tmp_path, {"u.yaml": "include: 'l*.yaml'"}) == [
        "u.yaml:1:10: include: there is no file lost.yaml; name one that exists"
    ]


def test_links_in_circles_are_followed_once(tmp_path: Path) -> None:
    files = {"u.yaml": "include: 'm/**/*.yaml'", "m/a/x.yaml": "projects: {x: {}}", "m/b/y.yaml": "projects: {y: {}}"}
    path = write_files(tmp_path, files)
    for name, target in (("m/a/b", "../b"), ("m/a/up", ".."), ("m/b/a", "../a"), ("m/b/up", "..")):
        (tmp_path / name).symlink_to(target)
    read = read_manifest(path, {})
    assert sorted(read.message.projects) == ["x", "y"]
    # A link that leads elsewhere one day is a change.
    assert {tmp_path / "m/a/up", tmp_path / "m/b/up"} <= set(read.files)


def test_a_pattern_of_folders_in_circles_ends(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / "m" / name).mkdir(parents=True)
        for other in "abcd":
            (tmp_path / "m" / name / f"to-{other}").symlink_to(f"../{other}")
    pattern = "m/" + "*/" * 20 + "*.yaml"
    assert file_problems(tmp_path, {"u.yaml": f"include: '{pattern}'"}) == [
        f"u.yaml:1:10: include: {pattern!r} leads into more than 5000 folders; narrow the pattern"
    ]


def test_all_patterns_together_lead_into_so_many_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "WALKED_FOLDERS_MAX", 3)
    files = {"a/x.yaml": "", "a/b/x.yaml": ""}
    write_files(tmp_path, files)
    found = Patterns(tmp_path)
    assert found.match(tmp_path, "**/x.yaml") == ["a/b/x.yaml", "a/x.yaml"]
    with pytest.raises(BadValue, match=r"'\*\*' leads into more than 3 folders"):
        found.match(tmp_path, "**")


def test_a_pattern_looks_through_so_many_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LISTED_NAMES_MAX", 3)
    write_files(tmp_path, dict.fromkeys("abcd", ""))
    with pytest.raises(BadValue, match=r"'\*' looks through more than 3 names of files"):
        _match(tmp_path, "*")


def test_a_folder_that_leads_out_is_refused_and_not_walked(tmp_path: Path) -> None:
    write_files(tmp_path, {"out/deep/a.yaml": "", "in/m/a.yaml": ""})
    (tmp_path / "in/m/link").symlink_to(tmp_path / "out")
    found = Patterns(tmp_path / "in")
    with pytest.raises(BadValue, match=r"m/link leads out of the folder"):
        found.match(tmp_path / "in", "m/**/*.yaml")
    assert not [folder for folder in found.folders if "deep" in folder.parts]


def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "u.yaml": "include: 'more/**/*.yaml'",
        "more/a/x.yaml": "projects: {x: {}}",
        "more/b/y.yaml": "projects: {}",
    }
    path = write_files(tmp_path, files)
    _refuse(monkeypatch, os, "scandir", tmp_path / "more/a")
    with pytest.raises(Unreadable) as refused:
        read_manifest(path, {})
    said = f"{path}:1:10: include: {tmp_path / 'more/a'} may not be looked into; {_ADVICE}"
    assert [str(problem) for problem in refused.value.problems] == [said]
    # So that a repair is noticed.
    assert {tmp_path / "more", tmp_path / "more/a"} <= set(refused.value.files)


def test_a_folder_in_which_nothing_may_be_looked_up_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"more/a/x.yaml": ""})
    _refuse(monkeypatch, Path, "lstat", tmp_path / "more/a/x.yaml")
    with pytest.raises(BadValue, match=r"more/a/x\.yaml may not be looked into"):
        _match(tmp_path, "more/*/x.yaml")


def test_a_folder_that_cannot_be_read_for_another_reason_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"more/x.yaml": ""})
    _refuse(monkeypatch, os, "scandir", tmp_path / "more", OSError(errno.EIO, "Input/output error"))
    with pytest.raises(BadValue, match="more cannot be read: Input/output error"):
        _match(tmp_path, "more/*.yaml")


def test_a_folder_that_goes_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"more/a/x.yaml": "", "more/b/x.yaml": ""})
    _refuse(monkeypatch, os, "scandir", tmp_path / "more/a", FileNotFoundError(errno.ENOENT, "gone"))
    assert _match(tmp_path, "more/*/*.yaml") == ["more/b/x.yaml"]


def test_what_is_out_of_reach_and_does_not_match_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a.yaml": "", "private/b.yaml": ""})
    _refuse(monkeypatch, os, "scandir", tmp_path / "private")
    assert _match(tmp_path, "*.yaml") == ["a.yaml"]


def test_a_folder_that_gets_out_of_reach_while_files_are_read_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_files(tmp_path, {"u.yaml": "include: 'more/*.yaml'", "more/x.yaml": "projects: {}"})
    files = Files(tmp_path)
    files.included(files.first(path), "more/*.yaml")
    assert files.is_unchanged()
    _refuse(monkeypatch, os, "scandir", tmp_path / "more")
    assert not files.is_unchanged()


def test_one_file_of_a_pattern_named_again_and_again_is_not_read_on_for_long(tmp_path: Path) -> None:
    files = {"u.yaml": f"include: [&p 'm/*.yaml'{', *p' * 200_000}]", **{f"m/{n}.yaml": "{}" for n in range(100)}}
    assert file_problems(tmp_path, files) == [
        "u.yaml:1:11: include: more than 1000 files are included; put more into each file"
    ]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    files = {"u.yaml": "include: '**/*.yaml'", "m/a.yaml": "projects: {a: {}}", "m/.#a.yaml": "[", ".git/b.yaml": "["}
    write_files(tmp_path, files)
    (tmp_path / "u.yaml").rename(tmp_path / ".u.yaml")
    assert list(read_manifest(tmp_path / ".u.yaml", {}).message.projects) == ["a"]


def _refuse(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, refused: Path, error: OSError | None = None
) -> None:
    """Have a function refuse one path. The superuser may look into everything, so that no mode of it would do."""
    real: Callable[..., Any] = getattr(module, name)

    def function(path: Path, *arguments: Any) -> Any:
        if Path(path) == refused:
            raise error or PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments)

    monkeypatch.setattr(module, name, function)
