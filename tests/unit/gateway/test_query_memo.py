"""Which queries are remembered: short ones, of which little is read."""

import pytest
from understudy_gateway.transcoding import query


@pytest.mark.parametrize(
    ("raw", "remembered"),
    [
        (b"project=checkout&environment=staging", True),
        (b"&".join(b"a%d=" % number for number in range(query.MEMO_PAIRS_MAX)), True),
        (b"&".join(b"a%d=" % number for number in range(query.MEMO_PAIRS_MAX + 1)), False),
        (b"a=" + b"b" * query.MEMO_QUERY_BYTES_MAX, False),
    ],
    ids=["usual", "as many pairs", "more pairs", "long"],
)
def test_only_queries_that_take_little_are_remembered(raw: bytes, *, remembered: bool) -> None:
    read = query.parse(raw)
    assert (query.parse(raw) is read) == remembered
    assert query.parse(raw) == read
