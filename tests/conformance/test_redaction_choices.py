"""What an environment has masked is in no log, whatever door set it and whatever door reads the log."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator

import pytest
from support.doors import Door
from support.plain_app import PlainApp
from support.server import MadePlace
from support.told_upstream import ToldUpstream, answer, running_told_upstream

KEY = "ci-42"
HEADER = f"x-flowmock-session: {KEY}"
JSON = "Content-Type: application/json"
PAID = b'{"card": {"number": "4111 1111", "exp": "12/30"}, "amount": 10.50}'
PAID_MASKED = b'{"card": {"number": "[redacted]", "exp": "12/30"}, "amount": 10.50}'
REDACTION = {"headers": ["x-customer-token"], "query": ["token"], "jsonPaths": ["$.card.number"]}


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


@pytest.fixture
def masked(configure: Callable[..., None]) -> None:
    configure(redaction=REDACTION)


def _logged(door: Door, auth: str) -> dict[str, object]:
    """The newest row of the session."""
    row: dict[str, object] = door.logs(auth, KEY).served["logs"][0]
    return row


def test_named_values_are_in_no_log_and_pass_as_they_are(
    door: Door, auth: str, plain: PlainApp, masked: None, upstream: ToldUpstream
) -> None:
    upstream.tell(answer(PAID, "Location: /next?token=s3cr3t"))
    got = plain.ask("POST", "/pay?token=s3cr3t&retry=1", HEADER, JSON, "X-Customer-Token: s3cr3t", body=PAID)
    assert (upstream.last.target, upstream.last.body) == ("/pay?token=s3cr3t&retry=1", PAID)
    assert upstream.last.values(b"x-customer-token") == [b"s3cr3t"]
    assert (got.body, got.values("location")) == (PAID, ["/next?token=s3cr3t"])
    row = _logged(door, auth)
    assert row["query"] == "token=[redacted]&retry=1"
    assert (row["requestPreview"], row["responsePreview"]) == (PAID_MASKED.decode(), PAID_MASKED.decode())
    for side in ("request", "response"):
        body = door.body(auth, str(row["id"]), side=side)
        assert body.served == json.loads(PAID_MASKED)


def test_answers_of_mocks_are_masked_too(
    door: Door, auth: str, plain: PlainApp, place: MadePlace, masked: None, upstream: ToldUpstream
) -> None:
    place.make_answer("ovr_paid", "POST", "/pay", PAID.decode())
    door.put(auth, KEY, {"overrides": ["ovr_paid"]})
    assert json.loads(plain.ask("POST", "/pay", HEADER).body) == json.loads(PAID)
    assert json.loads(str(_logged(door, auth)["responsePreview"])) == json.loads(PAID_MASKED)


@pytest.mark.parametrize(
    "body",
    [PAID[:-1], PAID + b" " * 300_000, b"\xff" + PAID, gzip.compress(PAID)],
    ids=["malformed", "long", "bytes", "packed"],
)
def test_body_that_cannot_be_read_is_told_by_its_length_and_hash(
    door: Door, auth: str, plain: PlainApp, masked: None, upstream: ToldUpstream, body: bytes
) -> None:
    plain.ask("POST", "/pay", HEADER, JSON, body=body)
    row = _logged(door, auth)
    told = {"withheld": True, "sizeBytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    assert json.loads(str(row["requestPreview"])) == told
    got = door.body(auth, str(row["id"]), side="request")
    assert got.served == told
    if got.headers:
        assert got.headers["understudy-body-withheld"] == "true"
        assert got.headers["understudy-body-truncated"] == "false"
        assert got.headers["understudy-body-size"] == str(len(body))


def test_redaction_holds_from_the_next_request_on_until_it_is_cleared(
    configure: Callable[..., None], door: Door, auth: str, plain: PlainApp, upstream: ToldUpstream
) -> None:
    queries = []
    for redaction in ({}, REDACTION, {}):
        configure(redaction=redaction)
        plain.ask("GET", "/a?token=1", HEADER)
        queries.append(_logged(door, auth)["query"])
    assert queries == ["token=1", "token=[redacted]", "token=1"]


def test_a_longer_body_than_the_environment_takes_is_refused_and_logged(
    configure: Callable[..., None], door: Door, auth: str, plain: PlainApp, upstream: ToldUpstream
) -> None:
    configure(limits={"requestBodyBytesMax": 10, "capturedBytesMax": 4})
    assert plain.ask("POST", "/a", HEADER, body=b"x" * 10).status == 200
    assert _logged(door, auth)["requestPreview"] == "xxxx"
    got = plain.ask("POST", "/a", HEADER, body=b"x" * 11)
    assert (got.status, got.json()["code"]) == (413, "body_too_large")
    assert len(upstream.requests) == 1
    assert _logged(door, auth)["status"] == 413
