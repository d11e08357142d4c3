import pytest
from understudy.v1 import log_service_pb2 as pb
from understudy_server.cli.log_lines import answered_by, log_line


@pytest.mark.parametrize(
    ("entry", "who"),
    [
        (pb.LogEntry(override_id="ovr_pay", outcome=pb.EXCHANGE_OUTCOME_MOCKED), "ovr_pay"),
        (pb.LogEntry(outcome=pb.EXCHANGE_OUTCOME_FORWARDED), "service"),
        (pb.LogEntry(outcome=pb.EXCHANGE_OUTCOME_UPSTREAM_FAILED), "service"),
        (pb.LogEntry(), "service"),
        (pb.LogEntry(outcome=pb.EXCHANGE_OUTCOME_UNMATCHED), "proxy"),
        (pb.LogEntry(outcome=pb.EXCHANGE_OUTCOME_REFUSED), "proxy"),
        (pb.LogEntry(outcome=pb.EXCHANGE_OUTCOME_PREFLIGHT), "proxy"),
    ],
)
def test_a_row_says_what_answered(entry: pb.LogEntry, who: str) -> None:
    assert answered_by(entry) == who
    assert f"  {who}  " in log_line(entry)[0]
