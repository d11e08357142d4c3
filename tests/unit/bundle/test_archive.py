import hashlib
import io
import json
import zipfile

import pytest
from understudy_server.bundle.archive import LISTING, Archive, Damaged, check


def _archive(**files: bytes) -> tuple[bytes, str]:
    file = io.BytesIO()
    archive = Archive(file)
    for name, content in files.items():
        archive.add(name, content)
    digest = archive.close({"session": "ci-42"})
    return file.getvalue(), digest


def test_the_listing_has_the_hash_of_each_file_and_its_own_stands_for_all() -> None:
    content, digest = _archive(a=b"1", b=b"2")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["a", "b", LISTING]
        listing = archive.read(LISTING)
    assert json.loads(listing) == {
        "format": 1,
        "session": "ci-42",
        "files": {name: hashlib.sha256(text).hexdigest() for name, text in (("a", b"1"), ("b", b"2"))},
    }
    assert digest == hashlib.sha256(listing).hexdigest()


def test_the_same_content_makes_the_same_bytes() -> None:
    assert _archive(a=b"1") == _archive(a=b"1")
    assert _archive(a=b"1")[1] != _archive(a=b"2")[1]


def test_a_file_can_be_written_in_pieces() -> None:
    file = io.BytesIO()
    archive = Archive(file)
    with archive.file("a") as lines:
        lines.write(b"1")
        lines.write(b"2")
    archive.close({})
    assert check(io.BytesIO(file.getvalue()))["files"] == {"a": hashlib.sha256(b"12").hexdigest()}


def test_an_archive_that_was_changed_is_noticed() -> None:
    content, _ = _archive(a=b"1", b=b"2")
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            after.writestr(name, b"other" if name == "b" else before.read(name))
    with pytest.raises(Damaged, match="b is not what it was"):
        check(file)


def test_an_archive_with_other_files_is_noticed() -> None:
    content, _ = _archive(a=b"1")
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("c", b"3")
    with pytest.raises(Damaged, match="other files than it lists: c"):
        check(file)


@pytest.mark.parametrize("content", [b"", b"no zip", _archive()[0][:40]])
def test_what_is_no_archive_is_no_archive(content: bytes) -> None:
    with pytest.raises(Damaged, match="it is no archive of a session"):
        check(io.BytesIO(content))
