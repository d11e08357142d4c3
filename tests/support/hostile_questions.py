"""Questions about calls that are made to hold up everybody else, and a record that makes each of them long."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from support.calls_on_record import recorded_call
from support.hostile import BODIES, CRITERIA, MIB
from understudy.v1 import verification_service_pb2 as pb
from understudy_server.core.exchange import MASKED, Captured, Exchange, RawHeaders
from understudy_server.core.redaction import MARKER

EXPECTATIONS_MAX: Final = 100

_LONG_HEAD: Final = b"v=" + b"ab, " * 12_000
_HEADS: Final[Sequence[RawHeaders]] = (
    (),
    ((b"X-Long", _LONG_HEAD), (b"Cookie", b"; ".join([b"c%d=%d" % (at, at) for at in range(2_000)]))),
    tuple([(b"X-%d" % at, b"value %d" % at) for at in range(100)]),
    ((b"Authorization", b"Bearer " + MARKER), (b"Cookie", b"sid=" + MARKER)),
)
_QUERIES: Final = ("", "?" + "&".join([f"a={at}" for at in range(4_000)]), "?b=" + "%61" * 10_000, "?a=1")
_MARK: Final = MARKER.decode()
_MASKED: Final = json.dumps({"a": [{"card": _MARK, "b": [at]} for at in range(8_000)], "token": _MARK}).encode()


def record(exchanges: int, environment_id: str) -> list[Exchange]:
    """So many calls of one session: with each body that is on record whole, masked ones, long heads, long queries."""
    bodies = [Captured(each, len(each), "application/json") for each in BODIES.values() if len(each) <= MIB]
    bodies += [Captured(_MASKED, len(_MASKED), "application/json", MASKED), Captured(_MASKED[:1_000], MIB)]
    return [
        recorded_call(
            number,
            f"/api/pay/{number % 7}{_QUERIES[number % len(_QUERIES)]}",
            headers=_HEADS[number // 3 % len(_HEADS)],
            body=bodies[number % len(bodies)],
            environment_id=environment_id,
        )
        for number in range(1, exchanges + 1)
    ]


def criteria() -> dict[str, pb.VerifyCallsRequest]:
    """A question for each criterion, by its name. The session that questions are about is not said."""
    return {name: _asks([_expects(body=each)]) for name, each in CRITERIA.items()}


def crowds() -> dict[str, pb.VerifyCallsRequest]:
    """Questions of many criteria, each by a name of its own."""
    bodies = [_expects(body=criterion) for criterion in CRITERIA.values()]
    return {
        "all criteria": _asks(bodies, in_order=True, no_others=True),
        "a hundred times many patterns": _asks(list(_hundred_times_many_patterns())),
        "a thousand patterns": _asks([_expects(body=_any(_patterns(999)))]),
        "a hundred that nothing comes near": _asks([_expects(**_far(at)) for at in range(EXPECTATIONS_MAX)]),
        "heads": _asks([_expects(**each) for each in _of_heads()], no_others=True),
        "any number of anything": _asks(
            [pb.Expectation(at_least=0) for _ in range(EXPECTATIONS_MAX)], in_order=True, no_others=True
        ),
    }


def _expects(**matcher: Any) -> pb.Expectation:
    return ParseDict({"matcher": matcher}, pb.Expectation())


def _asks(
    expectations: Sequence[pb.Expectation], *, in_order: bool = False, no_others: bool = False
) -> pb.VerifyCallsRequest:
    return pb.VerifyCallsRequest(expectations=expectations, in_order=in_order, no_others=no_others)


def _any(criteria: list[Any]) -> dict[str, Any]:
    return {"any": {"criteria": criteria}}


def _hundred_times_many_patterns() -> Iterator[pb.Expectation]:
    for number in range(EXPECTATIONS_MAX):
        yield _expects(body=_any(_patterns(30, number)))


def _patterns(count: int, number: int = 0) -> list[Any]:
    return [{"pattern_within": f"(a|b|{at}x{number})*c{at}"} for at in range(count)]


def _far(number: int) -> dict[str, Any]:
    """A matcher of which twenty things do not hold, and each takes some words."""
    long = f"{number} " + "long " * 100
    return {
        "method": "PATCH",
        "path": f"/far/{number}",
        "headers": {f"x-{at}": {"equals": long} for at in range(20)},
        "body": {"json_equals": json.dumps({f"k{at}": long for at in range(100)})},
    }


def _of_heads() -> Sequence[Mapping[str, Any]]:
    return (
        {"headers": {"x-long": {"pattern": "(v=)?(ab, )*c"}}},
        {"headers": {"x-long": {"contains": "ab" * 20_000}}},
        {"cookies": {"c1999": {"equals": "0"}, "sid": {"equals": "1"}}},
        {"query": {"a": {"pattern_within": "[0-9]+x"}, "b": {"json": {"present": False}}}},
        {"all_query": {"json_path": {"path": "$..*", "criterion": {"equals": "z"}}}},
        {"all_headers": {"json_path": {"path": "$[?search(@, '(v|a)*z')]"}}},
        {"path_criterion": {"pattern": "/(api|pay)*/[0-9]"}},
    )
