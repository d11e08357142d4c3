"""Exchanges as segments: what is kept of them, where they are cut, and the bytes on file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import records
from understudy_server.core.draws import Draw
from understudy_server.core.exchange import MASKED, MASKED_AND_CUT, Captured, Exchange
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.journal import migrations, segments
from understudy_server.journal.places import base_of
from understudy_server.store.sqlite.migrations import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    migrate(connection, migrations.journal)
    yield connection
    connection.close()


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# What a name and a value may hold: no line break, no colon in a name, no blank around a value.
_NAMES = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=10).map(str.encode)
_VALUES = st.binary(max_size=20).map(lambda raw: raw.translate(None, b"\r\n\0").strip())
_HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=3).map(tuple)
_CODES = st.sampled_from(["session_header_repeated", "carriers_disagree", "odd"])
_REDACTED = st.sampled_from(["", MASKED, MASKED_AND_CUT, "0" * 64])
_BODIES = st.none() | st.builds(Captured, st.binary(max_size=50), st.integers(0, 1 << 62), _TEXTS, _REDACTED)
_EXCHANGES = st.builds(
    Exchange,
    id=st.uuids().map(str),
    project_id=_TEXTS,
    environment_id=_TEXTS,
    session_key=_TEXTS,
    session_id=_TEXTS,
    method=_TEXTS,
    path=_TEXTS,
    query=_TEXTS,
    status=st.just(0) | st.integers(100, 999),
    started_at_ms=st.integers(0, 1 << 48),
    duration_ms=st.integers(0, 1 << 40),
    mock_id=_TEXTS,
    request_headers=_HEADERS,
    response_headers=_HEADERS,
    request_body=_BODIES,
    response_body=_BODIES,
    findings=st.lists(_CODES, max_size=3).map(tuple),
    draws=st.lists(st.builds(Draw, st.text(max_size=10), st.text(max_size=10)), max_size=3).map(tuple),
    occurrence=st.integers(0, 1 << 40),
    outcome=st.sampled_from(ExchangeOutcome),
    layer=st.sampled_from(["", "session", "environment"]),
    session_revision=st.integers(0, 1 << 40),
    phases=st.builds(Phases, *[st.integers(0, 1 << 40)] * 6),
    number=st.just(0),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_EXCHANGES, min_size=1, max_size=3))
def test_every_exchange_is_read_back_as_it_was(exchanges: list[Exchange]) -> None:
    (row,) = segments.rows(base_of(7) + 3, exchanges, [1] * len(exchanges), "log_1")

    numbered = [each._replace(number=3 + index) for index, each in enumerate(exchanges)]
    assert list(segments.read(row[0], row[-1])) == numbered


@given(st.lists(st.tuples(st.integers(1, 300_000), st.sampled_from(["", "a", "b"])), min_size=1), st.booleans())
def test_segments_are_bounded_and_of_one_key_where_there_is_no_session(
    those: list[tuple[int, str]], has_session: bool
) -> None:
    sizes = [size for size, _ in those]
    exchanges = [
        records.exchange(number)._replace(
            session_key="k" if has_session else key, session_id="s" if has_session else ""
        )
        for number, (_, key) in enumerate(those)
    ]

    parts = list(segments.cut(exchanges, sizes))

    assert [begin for begin, _ in parts] == [0, *(end for _, end in parts[:-1])]
    assert parts[-1][1] == len(those)
    for begin, end in parts:
        assert 0 < end - begin <= segments.COUNT_MAX
        assert end - begin == 1 or sum(sizes[begin:end]) <= segments.BYTES_MAX
        assert len({each.session_key for each in exchanges[begin:end]}) == 1


def test_what_is_alike_is_cut_as_late_as_it_may() -> None:
    exchanges = [records.exchange(number) for number in range(300)]

    assert list(segments.cut(exchanges, [1] * 300)) == [(0, 128), (128, 256), (256, 300)]


def test_around_an_exchange_that_cannot_be_kept_all_others_are() -> None:
    exchanges = [records.exchange(number) for number in range(1, 8)]
    exchanges[4] = exchanges[4]._replace(method="\ud800")

    made = segments.rows(base_of(7) + 1, exchanges, [1] * 7, "log_1")

    kept = [each for row in made for each in segments.read(row[0], row[-1])]
    assert [each.number for each in kept] == [1, 2, 3, 4, 6, 7]


@given(st.lists(st.tuples(st.integers(0, 1 << 50), st.integers(0, 100)), min_size=1, max_size=20), st.data())
def test_the_oldest_are_counted_out_as_one_by_one(those: list[tuple[int, int]], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(those) - 1))
    entries, size = data.draw(st.tuples(st.integers(-5, 25), st.integers(-5, 1_500)))
    exchanges = [records.exchange(1)._replace(started_at_ms=end, duration_ms=0) for end, _ in those]
    file = sqlite3.connect(":memory:", isolation_level=None)
    migrate(file, migrations.journal)
    segments.insert(file, segments.rows(base_of(7) + 1, exchanges, [each for _, each in those], "log_1"))

    (left,) = segments.oldest(file, 7, gone, 10)

    file.close()
    rest = those[gone:]
    assert (left.first, left.count, left.bytes) == (gone + 1, len(rest), sum(each for _, each in rest))
    assert list(left.ends_ms) == [end for end, _ in rest]
    taken = 0
    while taken < len(rest) and (taken < entries or sum(each for _, each in rest[:taken]) < size):
        taken += 1
    assert left.some(entries, size) == (taken, sum(each for _, each in rest[:taken]))


def test_a_segment_goes_with_its_last(connection: sqlite3.Connection) -> None:
    exchanges = [records.exchange(number) for number in range(1, 5)]
    made = segments.rows(base_of(7) + 1, exchanges[:2], [1, 1], "log_1")
    made += segments.rows(base_of(7) + 3, exchanges[2:], [1, 1], "log_1")
    made += segments.rows(base_of(8) + 1, exchanges, [1] * 4, "log_1")
    segments.insert(connection, made)

    segments.remove(connection, 7, 3)

    places = [place for (place,) in connection.execute("SELECT place FROM segment ORDER BY place")]
    assert places == [base_of(7) + 3, base_of(8) + 1]


def test_what_is_large_is_compressed_and_read_back(connection: sqlite3.Connection) -> None:
    body = Captured(b"x" * 10_000, 10_000, "text/plain", "")
    exchanges = [records.exchange(number)._replace(response_body=body) for number in range(1, 4)]

    small = segments.rows(base_of(8) + 1, exchanges[:1], [1], "log_1")
    small = [(*row[:-1], row[-1][:100]) for row in small]
    segments.insert(connection, [*small, *segments.rows(base_of(7) + 1, exchanges, [1] * 3, "log_1")])

    found = connection.execute("SELECT place, content FROM segment ORDER BY place").fetchall()
    assert len(found[0][1]) < 1_000
    assert list(segments.read(*found[0])) == records.numbered(exchanges)
    assert found[1][1] == small[0][-1]


def test_the_bytes_on_file_are_these() -> None:
    """Files that are there are read by later releases: a change of this is a new step of the schema."""
    exchange = Exchange(
        id="log_1",
        project_id="p",
        environment_id="e",
        session_key="k",
        session_id="s",
        method="GET",
        path="/",
        query="",
        status=200,
        started_at_ms=1,
        duration_ms=2,
        mock_id="",
        request_headers=((b"a", b"b"),),
        response_headers=(),
        request_body=None,
        response_body=Captured(b"x", 1, "t", ""),
        findings=("odd",),
        draws=(Draw("n", "v"),),
        occurrence=3,
        outcome=ExchangeOutcome.MOCKED,
        layer="session",
        session_revision=4,
        phases=Phases(1, 2, 3, 4, 5, 6),
    )

    (row,) = segments.rows(base_of(1) + 9, [exchange], [7], "log_0")

    assert row[:6] == (base_of(1) + 9, 1, 7, "log_0", "log_1", None)
    assert row[6].hex() == "03000000000000000700000000000000"
    assert row[7] == "log_1"
    assert row[8].hex() == (
        "91dc0018a56c6f675f31a170a165a16ba173a3474554a12fa0ccc80102a09192c40161c4016290c094c4017801a174a091a36f6464"
        "9192a16ea17603a66d6f636b6564a773657373696f6e049601020304050600"
    )
