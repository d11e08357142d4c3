"""The server that rows measure is the one that the command starts, with its sample, and it is gone afterwards."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.asking import asking, request
from benchmarks.method import SERVER_CORE, Rejected
from benchmarks.scenery import (
    CART_BODY,
    CART_PATH,
    DECLINED_BODY,
    ENVIRONMENT,
    KEY,
    PAY_PATH,
    PROJECT,
    SAMPLE_MOCK,
    SAMPLE_SCENARIO,
)
from benchmarks.whole import serving

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("taskset") is None, reason="servers are pinned to a core by taskset"
)


def test_a_whole_server_answers_with_its_sample_and_stops(tmp_path: Path) -> None:
    session = PutSessionRequest(
        project=PROJECT, environment=ENVIRONMENT, session_key=KEY, scenario=SAMPLE_SCENARIO, overrides=[SAMPLE_MOCK]
    )
    with serving(tmp_path / "data", journal="memory") as server:
        server.call_all("SessionService/PutSession", [session])
        assert os.sched_getaffinity(server.pid) == {SERVER_CORE}
        with asking(server.proxy) as proxy:
            proxy.expect(request("GET", CART_PATH), 200, CART_BODY)
            proxy.expect(request("POST", PAY_PATH, b"{}"), 402, DECLINED_BODY)
        with asking(server.rest) as api:
            bearer = f"Bearer {server.make_key()}"
            api.expect(request("GET", f"/api/v1/sessions/{KEY}?project={PROJECT}", authorization=bearer), 200)

    assert not (Path("/proc") / str(server.pid)).exists()
    # The journal is where the setting says.
    assert not list((tmp_path / "data").glob("journal*"))


def test_a_server_that_cannot_start_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="did not start"), serving(tmp_path / "data", durability="none"):
        pass
