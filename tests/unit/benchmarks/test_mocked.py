"""What the proxy's rows load is the product with everything on: its journal records, masks and counts."""

import shutil
import sys

import pytest
from understudy.v1.log_service_pb2 import (
    SIDE_RESPONSE,
    GetLogBodyRequest,
    GetLogRequest,
    ListLogsRequest,
    ListLogsResponse,
)

from benchmarks.asking import asking, request
from benchmarks.method import Rejected
from benchmarks.mocked import dropped_by, put_sessions, serving_mocks
from benchmarks.scenery import (
    KEY,
    MASKED,
    MOCKED_BODY,
    PROJECT,
    PROXIED_MOCKED_PATH,
    PROXIED_SECRET_PATH,
    PROXIED_TEMPLATED_PATH,
    SECRET_HEADERS,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("taskset") is None, reason="servers are pinned to a core by taskset"
)


def test_what_is_loaded_records_masks_and_counts_each_request() -> None:
    with serving_mocks("disk") as server, asking(server.proxy) as proxy, asking(server.metrics) as metrics:
        put_sessions(server, [("late", 0)])
        for key, path in ((KEY, PROXIED_MOCKED_PATH), ("late", PROXIED_TEMPLATED_PATH)):
            proxy.expect(request("GET", path, x_flowmock_session=key, authorization="Bearer secret"), 200, MOCKED_BODY)

        assert dropped_by(server) == 0
        listed = server.call("LogService/ListLogs", ListLogsRequest(session_key=KEY, project=PROJECT))
        assert len(ListLogsResponse.FromString(listed).logs) == 1
        assert b"secret" not in listed
        assert b'outcome="mocked",project="checkout"} 2.0' in metrics.ask(request("GET", "/metrics"))


def test_what_a_row_has_masked_is_on_no_record() -> None:
    asked = request("GET", PROXIED_SECRET_PATH, b"", **SECRET_HEADERS)
    secrets = (b"9f2c6a1e7d", b"blue", b"eyJhbGciOiJFZERTQSJ9", b"Ada")
    for redaction, seen in ((MASKED, []), (None, [b"9f2c6a1e7d", b"blue", b"Ada"])):
        with serving_mocks(redaction=redaction) as server, asking(server.proxy) as proxy:
            proxy.expect(asked, 200, MOCKED_BODY)
            listed = server.call("LogService/ListLogs", ListLogsRequest(session_key=KEY, project=PROJECT))
            [row] = ListLogsResponse.FromString(listed).logs
            kept = server.call("LogService/GetLog", GetLogRequest(log_id=row.id))
            kept += server.call("LogService/GetLogBody", GetLogBodyRequest(log_id=row.id, side=SIDE_RESPONSE))
            assert [each for each in secrets if each in listed + kept] == seen


def test_a_journal_that_is_not_on_is_no_measurement() -> None:
    with serving_mocks() as server, pytest.raises(Rejected, match="journal is not on"):
        dropped_by(server)
