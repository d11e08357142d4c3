"""The curl lines of FlowMock's own pages, with host and key put in: status and set of keys as documented there."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from support.server import Server, running_server
from understudy.options.v1.options_pb2 import ROLE_CI

SESSION_KEYS = {
    "project", "environment", "sessionKey", "label", "scenario", "overrides", "globalDelayMs", "globalDelayMaxMs",
    "lastSeenAt",
}  # fmt: skip


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A new server with nothing but its sample project, as it starts without configuration."""
    with running_server() as started:
        yield started


def run(server: Server, command: str) -> tuple[int, dict[str, object]]:
    """Run a curl line through a shell, as a reader would paste it."""
    variables = {"BASE": f"http://{server.rest}/api/v1", "KEY": server.make_key(ROLE_CI).text, "PATH": "/usr/bin:/bin"}
    line = command.strip() + " -s -w '\\n%{http_code}'"
    output = subprocess.run(["bash", "-c", line], env=variables, capture_output=True, text=True, check=True).stdout
    body, _, status = output.rpartition("\n")
    return int(status), json.loads(body)


def test_the_overview_sets_up_and_cleans_up(fresh: Server) -> None:
    put = """
curl -X PUT "$BASE/sessions/ci-42" \\
-H "Authorization: Bearer $KEY" \\
-H "Content-Type: application/json" \\
-d '{"project":"checkout","environment":"staging","scenario":"scn_declined"}'
"""
    status, body = run(fresh, put)
    assert (status, set(body), body["scenario"]) == (200, SESSION_KEYS, "scn_declined")
    delete = """
curl -X DELETE "$BASE/sessions/ci-42?project=checkout&environment=staging&mode=delete" \\
-H "Authorization: Bearer $KEY"
"""
    assert run(fresh, delete) == (200, {"ok": True, "mode": "delete"})


def test_the_sessions_page_puts_reads_and_deletes(fresh: Server) -> None:
    put = """
curl -X PUT "$BASE/sessions/ci-42" \\
  -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "project": "checkout",
    "environment": "staging",
    "scenario": "scn_paymentDeclined",
    "overrides": ["ovr_extraMock"],
    "globalDelayMs": 0,
    "globalDelayMaxMs": 0,
    "label": "CI run 4821"
  }'
"""
    status, body = run(fresh, put)
    assert (status, set(body)) == (200, SESSION_KEYS)
    get = """
curl "$BASE/sessions/ci-42?project=checkout&environment=staging" \\
  -H "Authorization: Bearer $KEY"
"""
    assert run(fresh, get) == (200, body)
    assert body == {
        "project": "checkout", "environment": "staging", "sessionKey": "ci-42", "label": "CI run 4821",
        "scenario": "scn_paymentDeclined", "overrides": ["ovr_extraMock"], "globalDelayMs": 0, "globalDelayMaxMs": 0,
        "lastSeenAt": None,
    }  # fmt: skip
    delete = """
curl -X DELETE "$BASE/sessions/ci-42?project=checkout&environment=staging&mode=delete" \\
  -H "Authorization: Bearer $KEY"
"""
    assert run(fresh, delete) == (200, {"ok": True, "mode": "delete"})
    assert run(fresh, get)[0] == 404
