"""Reads ``understudy.yaml`` and what it includes, and single messages in the same form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from google.protobuf.message import Message
from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.manifest.composing import Malformed, mark_of
from understudy_server.manifest.files import Files, Source
from understudy_server.manifest.including import Including
from understudy_server.manifest.limits import MESSAGE_BYTES_MAX, READ_ATTEMPTS_MAX, YAML_FILE_BYTES_MAX
from understudy_server.manifest.mappings import Mappings
from understudy_server.manifest.marks import Marks, Tree
from understudy_server.manifest.messages import MessageReader
from understudy_server.manifest.pausing import collector_paused
from understudy_server.manifest.problems import BadValue, Mark, Problem, Problems, TooLarge, TooManyProblems, Unreadable
from understudy_server.manifest.shapes import shape_of

__all__ = ["Marks", "Read", "read_manifest", "read_value"]

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Read(Generic[M]):
    """What was read.

    ``files`` are absolute paths: the files in the order of reading, then the folders in which a new file would be read
    too. ``digest`` is SHA-256 (hex) over the files.
    """

    message: M
    marks: Marks
    files: tuple[Path, ...]
    digest: str


def read_manifest(path: Path, environ: Mapping[str, str]) -> Read[Manifest]:
    """Read a manifest and all its files as they are at one moment; variables are taken from ``environ``.

    Its source is the name of the file when it names none. What it says is not checked beyond its form. Raises
    Unreadable.
    """
    for _ in range(READ_ATTEMPTS_MAX):
        files = Files(path.parent)
        result: Read[Manifest] | Unreadable
        try:
            result = _read(lambda files: files.first(path), Manifest, environ, files, Mark(str(path), 1, 1))
        except Unreadable as unreadable:
            result = unreadable
        if not files.is_unchanged():
            continue
        if isinstance(result, Unreadable):
            raise result
        result.message.source = result.message.source or path.name
        return result
    changing = Problem(Mark(str(path), 1, 1), "", "the files change while they are read", "try again when they rest")
    raise Unreadable([changing], files.paths)


def read_value(text: str, name: str, kind: type[M], environ: Mapping[str, str], folder: Path | None = None) -> Read[M]:
    """Read one message, such as a ManifestMock, from text; ``name`` is what problems call the text.

    Files that it names are looked for in ``folder``; without one it may name none. Raises Unreadable.
    """
    mark = Mark(name, 1, 1)
    content = text.encode(errors="surrogatepass")
    if len(content) > YAML_FILE_BYTES_MAX:
        size = f"the text is larger than {YAML_FILE_BYTES_MAX // (1024 * 1024)} MiB"
        raise Unreadable([Problem(mark, "", size, "make it smaller")])
    source = Source(name, folder, content)
    return _read(lambda _: source, kind, environ, Files(folder or Path()), mark)


def _read(
    first: Callable[[Files], Source], kind: type[M], environ: Mapping[str, str], files: Files, start: Mark
) -> Read[M]:
    shape, message, problems = shape_of(kind.DESCRIPTOR), kind(), Problems()

    def compose() -> Tree:
        mappings = Mappings(problems)
        return Tree(Including(files, environ, mappings, problems).root(first(files), shape), mappings)

    def fill(tree: Tree) -> None:
        try:
            MessageReader(files, environ, tree.mappings, problems).fill(message, tree.root, shape, None)
            if message.ByteSize() > MESSAGE_BYTES_MAX:
                raise TooLarge
        except BadValue as bad:
            problems.add(Problem(mark_of(tree.root), "", bad.message, bad.advice))

    try:
        with collector_paused():
            fill(compose())
    except Malformed as malformed:
        raise Unreadable([malformed.problem], files.paths) from None
    except BadValue as bad:
        raise Unreadable([Problem(start, "", bad.message, bad.advice)], files.paths) from None
    except TooManyProblems:
        raise Unreadable(problems.first([start.file, *files.names]), files.paths) from None
    read = Read(message, Marks(compose, shape), files.paths, files.digest)
    if problems:
        raise Unreadable(problems.first([start.file, *files.names]), files.paths, read)
    return read
