"""Having ``understudy.yaml`` read by a process of its own: the side of the server."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.cli.reading_child import CPU_SECONDS_MAX
from understudy_server.manifest.limits import MESSAGE_BYTES_MAX

CHILD = "understudy_server.cli.reading_child"
SECONDS_MAX = 90.0
"""How long a process may take to read, the wait for a process that writes included."""
_PLACE_SECONDS_MAX = 10.0
# What precedes the manifest: the paths of all files that it names, of which there may be thousands, and problems.
_LINE_BYTES_MAX = 64 * 1024 * 1024


class NotRead(Exception):
    """The file cannot be read as it is now. Each problem is a line that names its place.

    ``is_busy``: only since another process is still writing it. ``may_pass``: the files need not be at fault, and
    trying again may help. ``looked_at``: what this may depend on, as far as it is known.
    """

    def __init__(
        self, problems: Sequence[str], looked_at: frozenset[Path], *, is_busy: bool = False, may_pass: bool = False
    ) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        self.looked_at = looked_at
        self.is_busy = is_busy
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest that could be read, and who still knows the places.

    ``digest`` is of all files that were read. ``declares`` is false when there is nothing
    in the file but ``server:``, whose texts are in ``server``. ``looked_at`` are all files and folders that it depends
    on. ``place_of`` says where a field stands (``understudy.yaml:3:9``), and its name as it is written there; it takes
    names that the contract gives (``projects['checkout'].environments['staging'].strip_session_header``).
    """

    manifest: Manifest
    digest: str
    declares: bool
    server: Mapping[str, str]
    looked_at: frozenset[Path]
    place_of: Callable[[str], Awaitable[tuple[str, str]]]


@asynccontextmanager
async def reading(path: Path, seconds_max: float = SECONDS_MAX) -> AsyncIterator[Reading]:
    """Read a file, and keep the process that read it until the block ends. Raises NotRead."""
    async with _started(path) as child:
        yield await _read(child, path, seconds_max)


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    output: asyncio.StreamReader

    async def ask(self, field: str) -> dict[str, Any]:
        assert self.process.stdin  # noqa: S101 - it was asked for
        # A path is far shorter than what a pipe takes at once, and is asked for one at a time.
        self.process.stdin.write(json.dumps(field).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(await self.output.readuntil(b"\n"))
        return answer


@asynccontextmanager
async def _started(path: Path) -> AsyncIterator[_Child]:
    """Run a process that reads a file until the block ends.

    Not by the event loop: uvloop's way to start one copies the tables of all our memory, which takes 50 to 100 ms where
    that is 600 MB, and nothing is answered meanwhile. This way copies nothing (vfork), and takes less than one.
    """
    # Modules never come from the folder that we are in: what lies there is not ours (-P). A session of its own, since
    # the signals of the terminal are for us.
    try:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - see above; all is ours but the path, which is one argument
            [sys.executable, "-P", "-m", CHILD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        problem = f"{path}: no process could be started to read it: {error.strerror}"
        raise NotRead([problem], _alone(path), may_pass=True) from error
    output = asyncio.StreamReader(limit=_LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), process.stdout)
        try:
            yield _Child(process, output)
        finally:
            transport.close()
    finally:
        process.kill()
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
        # Shielded: who is cancelled here must still not leave a process behind that nobody waits for.
        await asyncio.shield(loop.run_in_executor(None, process.wait))


async def _read(child: _Child, path: Path, seconds_max: float) -> Reading:
    here = _alone(path)
    try:
        async with asyncio.timeout(seconds_max):
            head = json.loads(await child.output.readuntil(b"\n"))
            if head["size"] > MESSAGE_BYTES_MAX:
                raise NotRead([f"{path}: what it declares has {head['size']} bytes, which is too much"], here)
            content = await child.output.readexactly(head["size"])
    except TimeoutError:
        problem = f"{path}: it was not read within {seconds_max:g} seconds"
        raise NotRead([problem], here, may_pass=True) from None
    except asyncio.IncompleteReadError:
        code = await asyncio.to_thread(child.process.wait)
        if code == -signal.SIGXCPU:
            problem = f"{path}: reading it takes more than {CPU_SECONDS_MAX} seconds of computing"
            raise NotRead([f"{problem}; make several smaller manifests of it"], here) from None
        problem = f"{path}: the process that reads it ended with {code}; the log may say more"
        raise NotRead([problem], here, may_pass=True) from None
    looked_at = frozenset(map(Path, head["lookedAt"]))
    if head["problems"]:
        raise NotRead(head["problems"], looked_at, is_busy=head["busy"])

    async def place_of(field: str) -> tuple[str, str]:
        try:
            async with asyncio.timeout(_PLACE_SECONDS_MAX):
                answer = await child.ask(field)
        except (OSError, EOFError, TimeoutError, ValueError):
            # It has ended, or its input was closed: the file alone must do.
            return str(path), field
        return answer["place"], answer["name"]

    manifest = Manifest.FromString(content)
    return Reading(
        manifest=manifest,
        digest=head["digest"],
        declares=head["declares"],
        server=head["server"],
        looked_at=looked_at,
        place_of=place_of,
    )


def _alone(path: Path) -> frozenset[Path]:
    return frozenset([path.absolute()])
