"""What a header means, by its name in any case."""

from understudy_server.proxy.spellings import NOTHING, Spellings


def test_meaning_is_found_in_any_case() -> None:
    spellings = Spellings({b"host": 3})
    assert (spellings[b"host"], spellings[b"HoSt"], spellings[b"hosts"]) == (3, 3, NOTHING)


def test_spellings_are_remembered_up_to_a_bound_and_found_beyond_it() -> None:
    spellings = Spellings({b"host": 3})
    for number in range(Spellings.SPELLINGS_MAX + 10):
        assert spellings[b"x-%d" % number] == NOTHING
    assert spellings[b"HOST"] == 3
    assert len(spellings) == Spellings.SPELLINGS_MAX


def test_long_spelling_is_found_and_not_remembered() -> None:
    name = b"x-" + b"a" * 60_000
    spellings = Spellings({name: 3})
    assert (spellings[name], spellings[name.upper()], spellings[name + b"b"]) == (3, 3, NOTHING)
    assert not spellings
