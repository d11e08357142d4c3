import hashlib
import io
import json
import zipfile

import pytest
from understudy_server.bundle.archive import LISTING, Archive


def _archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with Archive(file) as archive:
        for name, content in files.items():
            archive.add(name, content)
        archive.list_all({"session": "ci-42"})
    return file.getvalue()


def test_the_listing_has_the_hash_of_each_file() -> None:
    with zipfile.ZipFile(io.BytesIO(_archive(a=b"1", b=b"2"))) as archive:
        assert archive.namelist() == ["a", "b", LISTING]
        assert json.loads(archive.read(LISTING)) == {
            "format": 1,
            "session": "ci-42",
            "files": {name: hashlib.sha256(text).hexdigest() for name, text in (("a", b"1"), ("b", b"2"))},
        }


def test_the_same_content_makes_the_same_bytes() -> None:
    assert _archive(a=b"1") == _archive(a=b"1")
    assert _archive(a=b"1") != _archive(a=b"2")


def test_a_file_can_be_written_in_pieces() -> None:
    file = io.BytesIO()
    with Archive(file) as archive:
        with archive.file("a") as lines:
            lines.write(b"1")
            lines.write(b"2")
        archive.list_all({})
    with zipfile.ZipFile(file) as made:
        assert json.loads(made.read(LISTING))["files"] == {"a": hashlib.sha256(b"12").hexdigest()}


def test_one_that_fails_in_the_middle_is_closed() -> None:
    file = io.BytesIO()
    with pytest.raises(TypeError), Archive(file) as archive:
        archive.list_all({"no JSON": object()})
    assert zipfile.ZipFile(file).namelist() == []
