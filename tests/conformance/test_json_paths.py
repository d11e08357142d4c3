"""The tables of RFC 9535, each row through a mock of a running server: the path selects these values and no others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.rfc9535 import COMPARED, COMPARISONS, EXAMPLES
from support.shown_mocks import Shown, shown_mocks
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.matching_pb2 import SELECTION_LIST

_OTHER = ["what no path selects"]

# A comparison is that of a filter: it selects both members of the document, or neither.
ROWS: list[tuple[str, Any, list[Any]]] = [
    *[(example.path, example.document, example.values) for example in EXAMPLES],
    *[(f"$[?{each.text}]", COMPARED, list(COMPARED.values()) if each.holds else []) for each in COMPARISONS],
]
NAMES = [f"{number}-{path}" for number, (path, _, _) in enumerate(ROWS)]


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    mocks = {}
    for number, (path, _, values) in enumerate(ROWS):
        mocks[f"ovr_{number}"] = _mock(path, values)
        mocks[f"ovr_{number}-more"] = _mock(path, [*values, *_OTHER])
        mocks[f"ovr_{number}-other"] = _mock(path, [*values[1:], *_OTHER] if values else _OTHER)
        mocks[f"ovr_{number}-fewer"] = _mock(path, values[:-1] if values else [None])
    with shown_mocks(mocks) as running:
        yield running


@pytest.mark.parametrize("number", range(len(ROWS)), ids=NAMES)
def test_a_mock_selects_what_the_rfc_says(shown: Shown, number: int) -> None:
    assert _matches(shown, number, f"ovr_{number}")


@pytest.mark.parametrize("what", ["more", "other", "fewer"])
@pytest.mark.parametrize("number", range(len(ROWS)), ids=NAMES)
def test_a_mock_selects_nothing_else(shown: Shown, number: int, what: str) -> None:
    assert not _matches(shown, number, f"ovr_{number}-{what}")


def _mock(path: str, values: list[Any]) -> ManifestMock:
    mock = ManifestMock()
    selected = mock.matcher.body.json_path
    selected.path, selected.select = path, SELECTION_LIST
    selected.criterion.json_equals = json.dumps(values)
    mock.action.respond.text = "matched"
    return mock


def _matches(shown: Shown, number: int, mock_id: str) -> bool:
    answer = shown.post(json.dumps(ROWS[number][1]).encode(), shown.session(mock_id))
    assert answer.body == b"matched" or answer.status == 502
    return answer.body == b"matched"
