"""Ten minutes of everything at once, on small quotas: no wrong answer, and the server stays as it is.

Testers set sessions over REST and gRPC, have them mocked, delayed, broken and passed on, ask about their calls, follow
them, go away too early, and end their sessions in every way there is. Meanwhile the server is looked at: what it holds
in memory, its open descriptors, its threads, and the files of its journal.
"""

import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import grpc.aio
import pytest
from support import soaking
from support.http_wire import HttpWire
from support.memory import MIB
from support.process_watch import Bounds, Sample, floor_rise, growth_of, look
from support.proofs import PROVE, new_seed, report, scaled
from support.server import Answering, MadePlace, Server, running_server
from support.soaking import Soaker, Tally, Target
from understudy.v1.actions_pb2 import FAULT_KIND_CUT, FAULT_KIND_RESET, Action
from understudy.v1.matching_pb2 import RequestMatcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")

SECONDS = scaled(600)
TESTERS = 12
LOOKS = 120
# The first part of the time is for warming up: until then the quotas are reached, pools are full and code is loaded.
WARM_SHARE = 0.25
# What the proxy remembers of requests, up to a bound of so many bytes: first lines, session keys, header lines. Some
# more of each than there is room for come first, in a whole run, so that it grows no more while it is looked at.
FIRST_LINES, KEYS, HEADER_LINES = scaled(16_000), scaled(6_000), scaled(1_000)
# In the 450 s that are judged some 100000 requests come: what is kept of each, were it 80 bytes, would be seen. As much
# may be the allocator's own disorder. A short run ends before all that is remembered has reached its bound. Connections
# come and go, and some are held for seconds: one that stays of each hundred sessions would be seen. A thread or two of
# a pool may be begun late.
BOUNDS = Bounds((8 if PROVE else 24) * MIB, descriptors=40, threads=2)
JOURNAL_BYTES, JOURNAL_ENTRIES = 12 * MIB, 3_000
# As in test_journal_bounds.py: a batch, the log beside the file, and pages that are not full.
JOURNAL_SLACK_BYTES = 40 * MIB
# What connections need to end after their clients have gone: those to the upstream are kept for a second.
SETTLE_SECONDS_MAX = 30
SETTINGS = {
    "API_RATE": "1000000/60",
    "METRICS": "127.0.0.1:0",
    "SWEEP_INTERVAL_SECONDS": "1",
    "PROXY_UPSTREAM_KEEP_SECONDS": "1",
    # So long it waits for a service that does not answer, on behalf of who may still read, or may be gone.
    "PROXY_FIRST_BYTE_SECONDS": "2",
    "JOURNAL_SESSION_ENTRIES_MAX": "200",
    "JOURNAL_ENTRIES_MAX": str(JOURNAL_ENTRIES),
    "JOURNAL_BYTES_MAX": str(JOURNAL_BYTES),
    "JOURNAL_ENVIRONMENT_ENTRIES_MAX": str(JOURNAL_ENTRIES * 2 // 3),
}
REMEMBERED = "/soak/remembered"
UPSTREAM = Path(soaking.__file__).with_name("soaking_upstream.py")


@pytest.mark.timeout(1_800)
async def test_ten_minutes_of_everything_leave_the_server_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    seed, tally, loop = new_seed(), Tally(), asyncio.get_running_loop()
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    with _running_upstream() as upstream, running_server() as server:
        place = _furnished(server, upstream)
        watch = _Watch(server)
        async with _testers(place, tally, seed) as testers:
            # One life of each: what is opened once is open then.
            await asyncio.gather(*[each.live() for each in testers])
        await _fill_what_is_remembered(place)
        rested = await watch.settled()
        began = loop.time()
        async with _testers(place, tally, seed + 1) as testers:
            watching = asyncio.create_task(watch.look_on(SECONDS / LOOKS))
            await asyncio.gather(*[_live_until(each, began + SECONDS, tally) for each in testers])
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        end = await watch.settled(rested)
        metrics = await _metrics(server)
        errors = [line for line in server.output.read_text().splitlines() if " ERROR " in line or "Traceback" in line]
    judged = [each for each in watch.samples if each.seconds >= began + WARM_SHARE * SECONDS] or watch.samples[-1:]
    grown = growth_of(judged, BOUNDS)
    report(
        "soak",
        seconds=SECONDS,
        **{name.replace(" ", "_"): count for name, count in sorted(tally.done.items())},
        wrong=len(tally.wrong),
        resident_MiB=f"{judged[0].resident_bytes / MIB:.1f} to {judged[-1].resident_bytes / MIB:.1f}",
        resident_floor_rises_MiB=round(floor_rise([each.resident_bytes for each in judged]) / MIB, 1),
        descriptors=f"{rested.others} to {end.others}",
        threads=f"{judged[0].threads} to {judged[-1].threads}",
        journal_MiB=round(watch.journal_bytes_max / MIB, 1),
        seed=seed,
    )
    assert tally.wrong[:5] == []
    assert grown == []
    assert end.others <= rested.others
    assert watch.journal_bytes_max <= JOURNAL_BYTES + JOURNAL_SLACK_BYTES
    assert errors[:5] == []
    assert metrics >= tally.done["requests"]


class _Watch:
    """Looks at a server now and then."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self.samples: list[Sample] = []
        self.journal_bytes_max = 0

    async def look_on(self, interval_seconds: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.samples.append(self._look())
            self.journal_bytes_max = max(self.journal_bytes_max, _size_of_journal(self._server.data))
            await asyncio.sleep(interval_seconds)

    async def settled(self, rested: Sample | None = None) -> Sample:
        """Wait until no more descriptors are open than when it rested before, or, without that, until they stay."""
        deadline = self._loop.time() + SETTLE_SECONDS_MAX
        last, stays = self._look(), 0
        while self._loop.time() < deadline:
            await asyncio.sleep(0.1)
            now = self._look()
            stays = stays + 1 if now.others == last.others else 0
            last = now
            if last.others <= rested.others if rested else stays >= _STAYS:
                break
        return last

    def _look(self) -> Sample:
        return look(self._server.process.pid, self._loop.time(), self._server.data)


# So many looks in a row, a tenth of a second apart: more than connections to the upstream are kept.
_STAYS = 25


def test_the_judge_sees_a_process_that_grows() -> None:
    grown = growth_of(
        _samples_of("import os\nkept = []\ndef go(): kept.append((bytearray(3 << 20), os.dup(0), os.dup(0)))"), BOUNDS
    )
    assert [each.split(" ")[0] for each in grown] == ["memory", "descriptors"]


def test_the_judge_sees_threads_that_stay() -> None:
    going = "import threading\ndef go(): threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert [each.split(" ")[0] for each in growth_of(_samples_of(going), BOUNDS)] == ["threads"]


def test_the_judge_sees_nothing_in_a_process_that_stays_as_it_is() -> None:
    going = "def go():\n with open('/dev/null') as file: return len(bytearray(1 << 20)), file"
    assert growth_of(_samples_of(going), BOUNDS) == []


async def _live_until(tester: Soaker, end: float, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    # What is wrong once is enough.
    while loop.time() < end and not tally.wrong:
        await tester.live()


@contextlib.asynccontextmanager
async def _testers(place: MadePlace, tally: Tally, seed: int) -> AsyncIterator[Sequence[Soaker]]:
    server = place.server
    key = server.make_key(project=place.project).text
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        target = Target(server.proxy, server.rest, channel, key, f"/{place.project}/staging")
        names = [f"tester-{seed}-{number}" for number in range(TESTERS)]
        testers = [Soaker(name, target, tally, random.Random(f"{seed} {name}")) for name in names]
        try:
            yield testers
        finally:
            for each in testers:
                each.leave()


def _furnished(server: Server, upstream: str) -> MadePlace:
    place = server.make_place("staging", upstream=upstream)
    for mock_id, (path, action) in _library().items():
        place.make_mock(mock_id, matcher=RequestMatcher(method="GET", path=path), action=action)
    place.make_answers(Answering("ovr_declined", "POST", "/soak/pay", '{"error": "declined"}', status=402))
    place.make_scenario(soaking.SCENARIO, "ovr_declined")
    place.make_answer("ovr_remembered", "GET", REMEMBERED, "{}")
    place.switch_on_for_all("ovr_remembered")
    return place


async def _fill_what_is_remembered(place: MadePlace) -> None:
    """Ask for each thing so often that all is kept of it that there may be: what it says, and what is decided on it."""
    wire, target = HttpWire(place.server.proxy), f"/{place.project}/staging{REMEMBERED}"
    asked = [
        *[(f"{target}?number={number}", "x-one: 1") for number in range(FIRST_LINES)],
        *[(target, f"x-flowmock-session: filling-{number}") for number in range(KEYS)],
        *[(target, f"x-number-{number}: 1") for number in range(HEADER_LINES)],
    ]
    try:
        for path, line in itertools.chain.from_iterable(itertools.repeat(each, 4) for each in asked):
            assert (await wire.ask("GET", path, line)).status == 200
    finally:
        wire.drop()


def _library() -> dict[str, tuple[str, Action]]:
    own, delayed, reset, cut, gone, events = (Action() for _ in soaking.LIBRARY)
    own.respond.template = '{"you": "{{ session.key }}"}'
    delayed.respond.json = '{"delayed": true}'
    delayed.delay.fixed_ms = soaking.DELAY_MS
    reset.fault.kind = FAULT_KIND_RESET
    cut.respond.json, cut.fault.kind = '{"cut": "before the end of it"}', FAULT_KIND_CUT
    # Nobody listens there.
    gone.forward.target = "http://127.0.0.1:1"
    for _ in range(soaking.EVENTS):
        events.events.events.add(data="{{ session.key }}")
    actions = zip(soaking.LIBRARY, (own, delayed, reset, cut, gone, events), strict=True)
    return {mock_id: (f"/soak/{mock_id.removeprefix('ovr_')}", action) for mock_id, action in actions}


@contextlib.contextmanager
def _running_upstream() -> Iterator[str]:
    with subprocess.Popen([sys.executable, str(UPSTREAM)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _size_of_journal(data: Path) -> int:
    found = 0
    for each in data.glob("journal*"):
        with contextlib.suppress(FileNotFoundError):
            found += each.stat().st_size
    return found


async def _metrics(server: Server) -> int:
    """How many exchanges the server has counted."""
    wire = HttpWire(server.metrics)
    try:
        text = (await wire.ask("GET", "/metrics")).body.decode()
    finally:
        wire.drop()
    lines = [line for line in text.splitlines() if line.startswith("understudy_requests_total{")]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def _samples_of(going: str) -> list[Sample]:
    """Looks at a process that does something once before each of them, by a clock that goes a second at a time."""
    doing = f"{going}\nimport sys\nfor line in sys.stdin:\n go()\n print('done', flush=True)"
    samples = []
    with subprocess.Popen([sys.executable, "-c", doing], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for number in itertools.islice(itertools.count(), 40):
            process.stdin.write(b"go\n")
            process.stdin.flush()
            process.stdout.readline()
            samples.append(look(process.pid, number))
    return samples
