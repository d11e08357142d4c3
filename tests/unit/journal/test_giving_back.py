"""Memory is given back where the C library can do that, and nothing happens where it cannot."""

import ctypes
from types import SimpleNamespace

import pytest
from understudy_server.journal.giving_back import give_back


def test_the_c_library_is_asked_to_keep_nothing_in_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    library = SimpleNamespace(malloc_trim=lambda reserve: kept.append(reserve.value))
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)

    give_back()

    assert kept == [0]


def test_another_c_library_goes_on_as_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())

    give_back()


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_a_system_without_a_c_library_of_that_kind_goes_on_as_it_does(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def load(_name: None) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", load)

    give_back()
