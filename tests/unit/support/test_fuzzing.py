"""The fuzzers find what there is to find, and say how to find it again."""

import random
from pathlib import Path

import pytest
from support import fuzz_inputs, fuzz_stage
from support.fuzz_answers import Found, read_answers
from support.fuzz_stage import Stage, fuzz
from understudy_server.core.exchange import Exchange

_QUICK = b"GET /checkout/staging/quick HTTP/1.1\r\nHost: a\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_good_request_shows_no_fault() -> None:
    with Stage() as stage:
        statuses, _, whole = stage.play_requests([_QUICK[:20], _QUICK[20:] + _QUICK], random.Random(1))
    assert (statuses, whole) == ((200, 200), True)


class _Failing(Stage):
    def record(self, exchange: Exchange) -> None:
        raise RuntimeError("the journal is full")


def test_failure_inside_the_proxy_is_found() -> None:
    with _Failing() as stage, pytest.raises(Found, match="the journal is full"):
        stage.play_requests([_QUICK], random.Random(1))


def test_input_that_shows_a_fault_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def find(*_: object) -> None:
        raise Found("something")

    monkeypatch.setattr(Stage, "play_requests", find)
    monkeypatch.setattr(fuzz_stage, "CORPUS", tmp_path)
    with pytest.raises(Found, match="request number 0 of seed 7"):
        fuzz(7, 1, answers=False)
    (kept,) = tmp_path.glob("request-found-*.bin")
    assert kept.read_bytes()


@pytest.mark.parametrize("answers", [False, True])
def test_one_seed_makes_the_same_inputs(*, answers: bool) -> None:
    def made() -> list[object]:
        inputs = fuzz_inputs.Inputs(random.Random(3), answers=answers)
        return [inputs.pieces(inputs.stream()) for _ in range(50)]

    assert made() == made()


def test_pieces_are_the_whole() -> None:
    inputs = fuzz_inputs.Inputs(random.Random(3))
    for _ in range(200):
        data = inputs.stream()
        assert b"".join(inputs.pieces(data)) == data


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", ([], True)),
        (_OK, ([200], True)),
        (_OK[:-1], ([], False)),
        (_OK + _OK[:20], ([200], False)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + _OK, ([200], True)),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + _OK, ([200, 200], True)),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", ([], False)),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n" + _OK, ([304, 200], True)),
    ],
)
def test_answers_are_told_apart(sent: bytes, told: tuple[list[int], bool]) -> None:
    assert read_answers(sent, heads=()) == told


@pytest.mark.parametrize("sent", [b"hello\r\n\r\n", _OK + b"x" + _OK, b"HTTP/1.1 200 O\x00K\r\n\r\n"])
def test_what_is_no_answer_is_found(sent: bytes) -> None:
    with pytest.raises(Found, match="not HTTP"):
        read_answers(sent, heads=())
