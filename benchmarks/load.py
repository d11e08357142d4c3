"""Making load over HTTP with wrk, and reading what it cost the server."""

import re
import resource
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from operator import attrgetter
from pathlib import Path

from benchmarks.answer import ask
from benchmarks.cpu import cpu_seconds, used_by_first_thread
from benchmarks.method import Length, Rejected, Rounds, alternate

_REPORT = Path(__file__).parent / "wrk_report.lua"
# Above this share of its core the load makes all the requests it can. Where the server has some of its own core left
# then, the load was measured: a faster server would look no faster.
_GENERATOR_BUSY_MAX, _SERVER_BUSY_MIN = 0.97, 0.85
TURN = "TURN"


@dataclass(frozen=True)
class Loaded:
    """What is loaded: one GET, over and over. ``body`` is what it must answer; ``None``: what it answers first.

    ``post``: a POST of this text instead.

    ``traced``: each request has a header with a number of its own. ``turns``: `TURN` in path, headers and body stands
    for a number of five digits under that many, the next one in each request; any load with turns costs wrk the same.
    An answer that takes longer than ``timeout_seconds`` has failed.
    """

    pid: int
    address: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: int = 64
    body: bytes | None = None
    traced: bool = False
    turns: int = 0
    timeout_seconds: int = 2
    post: str = ""

    def turn(self, number: int) -> "Loaded":
        """The one request, and its answer, of a turn."""
        digits, body = f"{number:05}", self.body
        headers = {name: value.replace(TURN, digits) for name, value in self.headers.items()}
        answer = body.replace(TURN.encode(), digits.encode()) if body is not None else None
        path, post = self.path.replace(TURN, digits), self.post.replace(TURN, digits)
        return replace(self, path=path, headers=headers, body=answer, post=post, turns=0)


@dataclass(frozen=True)
class Load:
    """What one load was like. CPU is user and system time of the server's processes, ``busy`` their share of a core.

    ``loop_us`` is what the event loop's thread used of it for each request, the rest is that of threads that write;
    ``generator_busy`` is what wrk took of its own core.
    """

    rate: float
    cpu_us: float
    loop_us: float
    busy: float
    p50_us: float
    p99_us: float
    generator_busy: float


def load(loaded: Loaded, seconds: int) -> Load:
    """Load for some seconds over keep-alive connections. Raises Rejected when any answer is wrong or missing."""
    before = _samples(loaded)
    cpu, loop, own = cpu_seconds(loaded.pid), used_by_first_thread(loaded.pid).both, _generator_seconds()
    counted = _wrk(loaded, seconds)
    cpu, own = cpu_seconds(loaded.pid) - cpu, _generator_seconds() - own
    loop = used_by_first_thread(loaded.pid).both - loop
    if _samples(loaded) != before:
        raise Rejected(f"{loaded.address}{loaded.path} did not answer the same before and after the load")
    _check_sizes(counted, before, loaded.connections)
    requests, duration = counted["requests"], counted["duration_us"] / 1e6
    return Load(
        rate=requests / duration,
        cpu_us=cpu * 1e6 / requests,
        loop_us=loop * 1e6 / requests,
        busy=cpu / duration,
        p50_us=counted["p50_us"],
        p99_us=counted["p99_us"],
        generator_busy=own / duration,
    )


def compared(
    subject: Loaded,
    reference: Loaded,
    length: Length,
    steady: Callable[[Load], float] = attrgetter("rate"),
) -> Rounds[Load]:
    """Load both in alternation. Raises Rejected when on either side what makes the load was the limit."""
    return compared_runs(lambda: load(subject, length.seconds), lambda: load(reference, length.seconds), length, steady)


def compared_runs(
    subject: Callable[[], Load],
    reference: Callable[[], Load],
    length: Length,
    steady: Callable[[Load], float] = attrgetter("rate"),
) -> Rounds[Load]:
    """The same with loads that are made in another way."""
    rounds = alternate(subject, reference, length, steady)
    if not length.watch:
        check_generator(rounds)
    return rounds


def check_generator(rounds: Rounds[Load]) -> None:
    """Raises Rejected when wrk needed its whole core and the server not its own: then wrk was measured."""
    for who, side in (("the subject", rounds.subject), ("the reference", rounds.reference)):
        made = side(attrgetter("generator_busy")).median
        served = side(attrgetter("busy")).median
        if made > _GENERATOR_BUSY_MAX and served < _SERVER_BUSY_MIN:
            raise Rejected(
                f"the load of {who} was limited by what makes it: wrk took {made:.0%} of its core, "
                f"the server {served:.0%} of its own"
            )


def _generator_seconds() -> float:
    """User and system time of all programs that this process has started and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _samples(loaded: Loaded) -> int:
    """The size of any answer: where they come in turn, of the first, the middle and the last one, which are alike."""
    if not loaded.turns:
        return _sample(loaded)
    sizes = {_sample(loaded.turn(number)) for number in (0, loaded.turns // 2, loaded.turns - 1)}
    if len(sizes) > 1:
        raise Rejected(f"{loaded.address}{loaded.path} has answers of different sizes: {sizes}")
    return sizes.pop()


def _sample(loaded: Loaded) -> int:
    """Ask once as the load does, and check. Gives the size of the whole answer, head included, in bytes."""
    try:
        answer = ask(loaded.address, loaded.path, loaded.headers, loaded.post)
    except OSError as error:
        raise Rejected(f"{loaded.address}{loaded.path} did not answer: {error}") from error
    if answer.status != HTTPStatus.OK or (loaded.body is not None and answer.body != loaded.body):
        raise Rejected(f"{loaded.address}{loaded.path} answered {answer.status} {answer.body[:200]!r}")
    return answer.size


def _wrk(loaded: Loaded, seconds: int) -> dict[str, int]:
    command = [
        "wrk",
        "-t1",
        f"-c{loaded.connections}",
        f"-d{seconds}s",
        "--timeout",
        f"{loaded.timeout_seconds}s",
        "-s",
        str(_REPORT),
    ]
    for name, value in loaded.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(f"http://{loaded.address}{loaded.path}")
    asked = ["traced"] * loaded.traced + [f"turns={loaded.turns}"] * bool(loaded.turns)
    asked += [f"post={loaded.post}"] * bool(loaded.post)
    if asked:
        command += ["--", *asked]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    report = re.search("^REPORT (.*)$", ran.stdout, re.MULTILINE)
    if report is None:
        raise Rejected(f"wrk ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    counted = {name: int(number) for name, number in (part.split("=") for part in report[1].split())}
    if counted["failed"] or not counted["requests"]:
        raise Rejected(f"not every answer of {loaded.address}{loaded.path} was a good one: {ran.stdout}")
    return counted


def _check_sizes(counted: Mapping[str, int], size: int, connections: int) -> None:
    """All answers are as long as the sample. wrk also counts the bytes of those that its end cut, one a connection."""
    surplus = counted["bytes"] - counted["requests"] * size
    if not 0 <= surplus <= connections * size:
        raise Rejected(f"{counted['requests']} answers of {size} bytes each are not {counted['bytes']} bytes")
