"""What Prometheus reads."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from support import records
from support.telemetry import Watched, watched
from understudy.v1.server_service_pb2 import JournalLoss, JournalStatus, StoreStatus
from understudy_server.app.host import HostFacts
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.telemetry.metrics import METRICS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "concepts" / "observability.md"
_ROW = re.compile(r"^\| `(understudy_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)


async def samples(here: Watched, accepted: str = "") -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of the page by its name and labels."""
    body, _ = await here.page.text(accepted)
    families = text_string_to_metric_families(body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def one(here: Watched, name: str, **labels: str) -> float:
    return (await samples(here))[name, tuple(sorted(labels.items()))]


async def test_the_documentation_has_every_metric_and_no_other(tmp_path: Path) -> None:
    documented = {found[1]: (found[2], found[3], found[4]) for found in _ROW.finditer(PAGE.read_text("utf-8"))}
    suffixes = {"counter": "_total", "info": "_info"}
    exposed = {
        each.name + suffixes.get(each.kind, ""): (
            each.kind,
            ", ".join(f"`{label}`" for label in each.labels) or "-",
            each.about,
        )
        for each in METRICS
    }
    assert documented == exposed


async def test_every_metric_is_on_the_page(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        body, content_type = await here.page.text("")
        types = dict(re.findall(r"^# TYPE (understudy_\w+) (\w+)$", body.decode(), re.MULTILINE))
    assert content_type.startswith("text/plain")
    suffixes = {"counter": "_total", "info": "_info"}
    # The text form has no kind for what is only said.
    assert types == {
        each.name + suffixes.get(each.kind, ""): "gauge" if each.kind == "info" else each.kind for each in METRICS
    }


async def test_the_process_is_on_the_page_too(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        assert await one(here, "process_resident_memory_bytes") > 0
        assert await one(here, "process_open_fds") > 0


async def test_who_asks_for_openmetrics_gets_it(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        body, content_type = await here.page.text("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


async def test_requests_have_the_slugs_of_their_place(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        for number in range(5):
            made = records.exchange(number)
            here.recorder.record(
                made._replace(outcome=ExchangeOutcome.UNMATCHED, phases=Phases(match_us=3, total_us=1_500))
            )
        labels = {"project": "checkout", "environment": "staging", "outcome": "unmatched"}
        assert await one(here, "understudy_requests_total", **labels) == 5
        assert await one(here, "understudy_request_duration_seconds_sum", outcome="unmatched") == 0.0075
        assert await one(here, "understudy_request_duration_seconds_bucket", outcome="unmatched", le="0.001") == 0
        assert await one(here, "understudy_request_duration_seconds_bucket", outcome="unmatched", le="0.0025") == 5
        assert await one(here, "understudy_match_duration_seconds_bucket", le="5e-06") == 5


async def test_no_label_holds_what_a_request_says(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        for number in range(200):
            made = records.exchange(number, session_key=f"secret-key-{number}")
            here.recorder.record(made._replace(path=f"/secret-path/{number}", method=f"SECRET{number}"))
        before = len(await samples(here))
        for number in range(200, 400):
            here.recorder.record(records.exchange(number, session_key=f"secret-key-{number}"))
        body, _ = await here.page.text("")
        assert len(await samples(here)) == before
    assert b"secret" not in body.lower()


async def test_the_journal_and_the_store_are_told_as_the_host_sees_them(tmp_path: Path) -> None:
    losses = [JournalLoss(reason="session_quota", count=7), JournalLoss(reason="disk", count=2)]
    facts = HostFacts(
        version="1.2.3",
        store=StoreStatus(version=9, size_bytes=4096),
        journal=JournalStatus(recorded=50, waiting=3, size_bytes=100, losses=losses),
        journal_problem="it is full",
    )
    async with watched(tmp_path, facts) as here:
        found = await samples(here)
    assert found["understudy_journal_recorded_total", ()] == 50
    assert found["understudy_journal_waiting", ()] == 3
    assert found["understudy_journal_lost_total", (("reason", "session_quota"),)] == 7
    assert found["understudy_journal_lost_total", (("reason", "disk"),)] == 2
    assert found["understudy_store_version", ()] == 9
    assert found["understudy_check_ok", (("check", "journal"),)] == 0
    assert found["understudy_check_ok", (("check", "store"),)] == 1
    assert found["understudy_build_info", (("version", "1.2.3"),)] == 1


async def test_the_view_lags_until_a_request_has_it_catch_up(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        await here.store.write(lambda tx: tx.put_project(records.project("prj_2", "other")))
        here.facts = HostFacts(store=StoreStatus(version=here.store.known_version))
        assert await one(here, "understudy_view_version_lag") == 1
        await here.view.catch_up()
        assert await one(here, "understudy_view_version_lag") == 0


async def test_what_cannot_be_read_is_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        assert ("understudy_sessions", ()) in await samples(here)
        here.store.fail()
        found = await samples(here)
    assert ("understudy_sessions", ()) not in found
    assert ("understudy_journal_waiting", ()) in found


async def test_readiness_is_a_metric_too(tmp_path: Path) -> None:
    async with watched(tmp_path) as here:
        assert await one(here, "understudy_ready") == 1
        here.problems["journal"] = "it is full"
        assert await one(here, "understudy_ready") == 0
