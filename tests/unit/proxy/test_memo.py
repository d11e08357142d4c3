"""What is remembered has a bound, in numbers or in bytes, and what is asked for stays."""

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.memo import Store, Weighed


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 60), st.booleans()), max_size=80))
def test_no_more_is_held_than_so_many_bytes(steps: list[tuple[int, int, bool]]) -> None:
    store, latest = Store[Weighed](200), dict[int, Weighed]()
    for key, size, puts in steps:
        if puts:
            latest[key] = thing = Weighed(size)
            store.put(key, thing)
        else:
            assert store.get(key) in (None, latest.get(key))
        assert store.bytes == sum(each.bytes for each in store.things.values()) <= 200
    assert all(latest[key] is each for key, each in store.things.items() if isinstance(key, int))


def test_what_nobody_asked_for_makes_room_first() -> None:
    store = Store[Weighed](40)
    kept = Weighed(10)
    store.put("kept", kept)
    for number in range(100):
        store.put(number, Weighed(10))
        assert store.get("kept") is kept
    assert [key for key in store.things if isinstance(key, int)] == [97, 98, 99]


def test_what_is_larger_than_all_is_not_held() -> None:
    store = Store[Weighed](40)
    store.put("large", Weighed(41))
    assert (len(store), store.bytes) == (0, 0)


def test_of_very_many_that_were_asked_for_one_makes_room_soon() -> None:
    store = Store[Weighed](1_000)
    for number in range(1_000):
        store.put(number, Weighed(1))
        store.get(number)
    store.put("new", Weighed(1))
    assert sum(each.asked_for for each in store.things.values()) > 900
    assert store.bytes == 1_000
