"""What happens around files: glances, which folders matter, and events of the real file system."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from understudy_server.cli.watching import FolderWatch, folders_around, glance

WAIT_SECONDS = 30


def _folders(paths: list[Path], root: Path) -> set[Path]:
    return {path for path, _ in folders_around(paths, root)}


def test_a_glance_tells_a_new_text_from_the_old(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a")
    before = glance([path])
    path.write_text("bb")
    assert glance([path]) != before


def test_a_glance_tells_a_file_that_took_the_place_of_another(tmp_path: Path) -> None:
    path, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_text("a")
    other.write_text("a")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    before = glance([path])
    other.replace(path)
    assert glance([path]) != before


def test_a_glance_at_what_is_not_there_is_no_failure(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert set(glance([tmp_path / "none", loop]).values()) == {None}


def test_a_glance_at_a_folder_sees_names_come_and_go_but_no_contents(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a")
    before = glance([tmp_path])
    (tmp_path / "a.yaml").write_text("something else")
    assert glance([tmp_path]) == before
    (tmp_path / "b.yaml").touch()
    assert glance([tmp_path]) != before


def test_the_folders_of_files_matter_and_those_above_them_up_to_the_root(tmp_path: Path) -> None:
    deep = tmp_path / "root" / "a" / "b"
    deep.mkdir(parents=True)
    paths = [tmp_path / "root" / "understudy.yaml", deep / "mocks.yaml"]
    assert _folders(paths, tmp_path / "root") == {deep, deep.parent, tmp_path / "root"}


def test_a_folder_that_was_looked_into_matters_itself(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    assert _folders([tmp_path / "more"], tmp_path) == {tmp_path, tmp_path / "more"}


def test_for_what_is_not_there_the_nearest_folder_matters(tmp_path: Path) -> None:
    assert _folders([tmp_path / "more" / "deep" / "a.yaml"], tmp_path) == {tmp_path}


def test_where_a_link_leads_matters_too(tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").touch()
    (tmp_path / "shown" / "a.yaml").symlink_to("../real/a.yaml")
    folders = _folders([tmp_path / "shown" / "a.yaml"], tmp_path)
    assert folders == {tmp_path, tmp_path / "shown", tmp_path / "real"}


def test_a_folder_in_the_place_of_another_is_another(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "new").mkdir()
    before = folders_around([tmp_path / "more"], tmp_path)
    (tmp_path / "more").rmdir()
    (tmp_path / "new").rename(tmp_path / "more")
    assert folders_around([tmp_path / "more"], tmp_path) != before


@pytest.fixture
def told() -> threading.Event:
    return threading.Event()


@pytest.fixture
def watch(told: threading.Event) -> Iterator[FolderWatch]:
    watch = FolderWatch(told.set)
    yield watch
    watch.close()


def _is_told_of(told: threading.Event, path: Path) -> bool:
    """Write again and again, since nobody says when a thread has begun to watch."""
    for number in range(WAIT_SECONDS * 10):
        path.write_text(str(number))
        if told.wait(0.1):
            return True
    return False


def test_a_write_in_a_followed_folder_is_told(watch: FolderWatch, told: threading.Event, tmp_path: Path) -> None:
    watch.follow(folders_around([tmp_path / "a.yaml"], tmp_path))
    assert _is_told_of(told, tmp_path / "a.yaml")


def test_folders_can_be_followed_in_place_of_others(watch: FolderWatch, told: threading.Event, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    watch.follow(folders_around([tmp_path / "a.yaml"], tmp_path))
    assert _is_told_of(told, tmp_path / "a.yaml")
    watch.follow(folders_around([tmp_path / "more"], tmp_path / "more"))
    told.clear()
    assert _is_told_of(told, tmp_path / "more" / "b.yaml")


def test_what_cannot_be_watched_is_said_and_fails_nothing(
    watch: FolderWatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch.follow(frozenset([(tmp_path / "gone", 1)]))
    watch.close()
    assert "since they cannot be watched" in caplog.text


def test_folders_that_could_not_be_followed_for_want_of_a_thread_are_followed_when_it_is_tried_again(
    watch: FolderWatch, told: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    folders = folders_around([tmp_path / "a.yaml"], tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError):
            watch.follow(folders)
    watch.follow(folders)
    assert _is_told_of(told, tmp_path / "a.yaml")


def test_no_thread_is_left(tmp_path: Path) -> None:
    watch = FolderWatch(lambda: None)
    watch.follow(folders_around([tmp_path], tmp_path))
    watch.close()
    assert "watch-manifest" not in {thread.name for thread in threading.enumerate()}
