"""A stream in memory: what it holds and weighs, however it comes and goes."""

from hypothesis import given
from hypothesis import strategies as st
from support.journal_model import exchange
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal.leaving import AT_ONCE, Leaving
from understudy_server.journal.shelves import Shelf

_comes = st.lists(st.integers(0, 50), min_size=1, max_size=60)
_goes = st.tuples(st.integers(-5, 80), st.integers(-50, 2_000))


def _shelf(leaving: Leaving | None = None) -> Shelf:
    return Shelf(Stream("env_1", "ci-ses_1", "ses_1"), leaving or Leaving())


def _made(count: int, first: int = 0) -> list[Exchange]:
    return [exchange(number, "ses_1") for number in range(first, first + count)]


@given(steps=st.lists(_comes | _goes, max_size=30))
def test_what_goes_is_the_oldest_as_many_and_as_much_as_it_takes(steps: list[list[int] | tuple[int, int]]) -> None:
    shelf, plain, lost, made = _shelf(), list[tuple[Exchange, int]](), 0, list[Exchange]()
    for step in steps:
        if isinstance(step, list):
            new = _made(len(step), len(made))
            shelf.extend(new, step)
            made += new
            plain += zip(new, step, strict=True)
        else:
            entries, size = step
            gone = list[int]()
            while plain and (len(gone) < entries or sum(gone) < size):
                gone.append(plain.pop(0)[1])
            lost += len(gone)
            assert shelf.evict(entries, size, Lost.DISK) == (len(gone), sum(gone))
        there = [each._replace(number=lost + at) for at, (each, _) in enumerate(plain, 1)]
        assert list(shelf.read(0, 10_000)) == there
        assert (shelf.kept, shelf.bytes) == (len(plain), sum(size for _, size in plain))
        assert shelf.standing() == Standing(len(made), len(plain), {Lost.DISK: lost} if lost else {})
        assert shelf.last_id == (made[-1].id if made else "")
        assert shelf.last_ms == (made[-1].started_at_ms + made[-1].duration_ms if made else 0)
        assert all(shelf.find(each.id) == each for each in there)


def test_what_is_over_a_quota_is_told() -> None:
    shelf = _shelf()
    shelf.extend(_made(4), [1, 2, 3, 4])
    shelf.evict(1, 0, Lost.SESSION_QUOTA)

    assert shelf.over(2, 10) == (1, -1)
    assert shelf.over(5, 6) == (-2, 3)


def test_what_is_pushed_out_goes_as_any_other_does() -> None:
    alone, together = _shelf(), _shelf()
    for shelf in (alone, together):
        shelf.extend(_made(40), list(range(40)))
        shelf.evict(1, 0, Lost.ENVIRONMENT_QUOTA)

    for number in range(1, 39):
        assert (1, alone.push_out()) == together.evict(1, 0, Lost.ENVIRONMENT_QUOTA) == (1, number)
        losses = {Lost.ENVIRONMENT_QUOTA: number + 1}
        assert alone.standing() == together.standing() == Standing(40, 39 - number, losses)
        assert alone.read(0, 100) == together.read(0, 100)
        assert (alone.last_id, alone.last_ms, alone.bytes) == (together.last_id, together.last_ms, together.bytes)


def test_what_is_forgiven_is_not_told_again() -> None:
    shelf = _shelf()
    shelf.extend(_made(3), [1, 1, 1])
    shelf.evict(1, 0, Lost.SESSION_QUOTA)
    shelf.evict(1, 0, Lost.SERVER_QUOTA)
    assert shelf.losses == {Lost.SERVER_QUOTA: 1, Lost.SESSION_QUOTA: 1}

    shelf.forgive()

    assert shelf.standing() == Standing(3, 1, purged=2)


def test_what_has_made_room_takes_none() -> None:
    """Neither where a few are kept, nor where many are."""
    for kept in (1, 50_000):
        shelf = _shelf()
        shelf.extend(_made(kept), [1] * kept)
        for number in range(40):
            shelf.extend(_made(500, kept + 500 * number), [1] * 500)
            shelf.evict(500, 0, None)
            assert len(shelf.exchanges) == len(shelf.reached) < kept + 20_000


def test_many_leave_memory_a_few_at_a_time() -> None:
    leaving = Leaving()
    shelf = _shelf(leaving)
    shelf.extend(_made(3 * AT_ONCE + 1), [1] * (3 * AT_ONCE + 1))

    shelf.evict(AT_ONCE, 0, None)
    assert leaving.steps == 0
    shelf.evict(2 * AT_ONCE + 1, 0, None)
    assert leaving.steps == 3
    for _ in range(3):
        leaving.let_go()
    assert leaving.steps == 0
