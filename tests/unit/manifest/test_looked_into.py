"""Which folders a manifest depends on: those in which something new may make a pattern match more."""

from pathlib import Path

import pytest
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import read_manifest


def _looked_into(folder: Path, pattern: str) -> set[str]:
    (folder / "understudy.yaml").write_text(f"include: ['{pattern}']\nprojects: {{}}\n")
    try:
        paths = read_manifest(folder / "understudy.yaml", {}).files
    except Unreadable as unreadable:
        paths = unreadable.files
    return {str(path.relative_to(folder)) for path in paths if not path.suffix}


@pytest.mark.parametrize(
    ("pattern", "folders"),
    [
        ("a/one.yaml", set()),
        ("*.yml", {"."}),
        ("a/*.yaml", {"a"}),
        ("none/*.yaml", {"none"}),
        ("a/*/x.yaml", {"a", "a/b", "a/c"}),
        ("a/*/d/*.yaml", {"a", "a/b", "a/c", "a/c/d"}),
        ("a/**/x.yaml", {"a", "a/b", "a/c", "a/c/d"}),
        ("a/**", {"a", "a/b", "a/c", "a/c/d"}),
    ],
)
def test_folders_of_a_pattern(tmp_path: Path, pattern: str, folders: set[str]) -> None:
    for name in ("a/b", "a/c/d", "other"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("a/one.yaml", "a/b/x.yaml", "a/c/d/y.yaml"):
        (tmp_path / name).write_text("projects: {}")
    assert _looked_into(tmp_path, pattern) == folders
