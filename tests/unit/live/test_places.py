import pytest
from understudy_server.live.places import Members


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        ("", "ab", [0, 1]),
        ("abc", "abc", [0, 1, 2]),
        ("abc", "abcd", [0, 1, 2, 3]),
        ("abc", "ac", [0, 2]),
        ("abc", "acd", [0, 2, 3]),
        ("abc", "", []),
        ("abc", "bca", [0, 1, 2]),
        ("abc", "cab", [0, 1, 2]),
    ],
)
def test_who_stays_keeps_its_number_if_that_leaves_all_in_order(before: str, after: str, numbers: list[int]) -> None:
    members = Members.in_order(tuple(before)).followed_by(tuple(after))
    assert members.ids == tuple(after)
    assert [members.numbers[name] for name in after] == numbers
    assert list(members.numbers.values()) == sorted(members.numbers.values())


def test_a_new_one_between_others_gets_a_number_between_theirs() -> None:
    members = Members.in_order(("a", "b", "c")).followed_by(("a", "c")).followed_by(("a", "d", "c"))
    assert members.numbers == {"a": 0, "d": 1, "c": 2}
