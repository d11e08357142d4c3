"""In which order streams are asked to make room, and how many are looked at for it."""

from support.journal_model import exchange
from understudy_server.core.record import Stream
from understudy_server.journal.leaving import Leaving
from understudy_server.journal.lines import LOOKS_MAX, Line
from understudy_server.journal.shelves import Shelf


class _Sessions:
    """Shelves in a line by number, and which of their sessions have ended. ``asked`` counts the looks at any."""

    def __init__(self, count: int) -> None:
        self.line = Line()
        self.shelves = [Shelf(Stream("env_1", f"ci-{number}", str(number)), Leaving()) for number in range(count)]
        self.ended: set[int] = set()
        self.asked = 0
        for shelf in self.shelves:
            self.line.enter(shelf)

    def is_live(self, _environment_id: str, session_id: str) -> bool:
        self.asked += 1
        return int(session_id) not in self.ended

    def touch(self, *numbers: int) -> None:
        self.line.touch([self.shelves[each] for each in numbers])

    def search(self, recorded: int = 1, enough: int = 1) -> list[int]:
        """Search until so many were emptied; gives which."""
        found: list[int] = []

        def is_enough(shelf: Shelf) -> bool:
            self.line.leave(shelf)
            found.append(self.shelves.index(shelf))
            return len(found) == enough

        self.line.search(recorded, self.is_live, is_enough)
        return found


def test_the_one_that_was_quiet_for_longest_comes_first() -> None:
    sessions = _Sessions(4)
    sessions.ended = {0, 1, 2}
    sessions.touch(0)

    assert sessions.search(enough=9) == [1, 2, 0]


def test_who_goes_on_stays_and_is_looked_at_again() -> None:
    sessions = _Sessions(3)
    sessions.ended = {2}
    assert sessions.search() == [2]

    sessions.ended = {0}

    assert sessions.search() == [0]


def test_after_a_long_search_in_vain_the_next_waits_for_as_many_exchanges() -> None:
    sessions = _Sessions(100)
    assert sessions.search() == []
    sessions.ended = {50}

    assert sessions.search(99) == []
    assert sessions.search(1) == [50]


def test_no_search_looks_at_more_than_a_few_hundred() -> None:
    sessions = _Sessions(10 * LOOKS_MAX)
    for _ in range(5):
        before = sessions.asked
        assert sessions.search(LOOKS_MAX) == []
        assert sessions.asked - before == LOOKS_MAX


def test_a_search_goes_on_where_the_last_one_stopped() -> None:
    sessions = _Sessions(3 * LOOKS_MAX)
    sessions.ended = {2 * LOOKS_MAX + 1}

    assert [sessions.search() for _ in range(3)] == [[], [], [2 * LOOKS_MAX + 1]]


def test_what_ended_behind_the_search_is_found_in_the_next_round() -> None:
    sessions = _Sessions(3 * LOOKS_MAX)
    sessions.search()
    sessions.ended = {5}

    assert [sessions.search() for _ in range(2)] == [[], []]
    assert sessions.search(3 * LOOKS_MAX) == [5]


def test_the_order_outlasts_a_round() -> None:
    """Some are recorded to when a search that takes long has passed them, and some when it has not."""
    sessions = _Sessions(2 * LOOKS_MAX + 1)
    sessions.search()
    sessions.touch(3, LOOKS_MAX + 3, 7)
    sessions.search()
    sessions.search()
    sessions.ended = {3, 4, 7, LOOKS_MAX + 3, LOOKS_MAX + 4}

    found = [each for _ in range(4) for each in sessions.search(2 * LOOKS_MAX + 1, enough=9)]

    assert found == [4, LOOKS_MAX + 4, 3, LOOKS_MAX + 3, 7]


def test_who_passed_a_few_hundred_that_go_on_does_not_look_at_them_each_time() -> None:
    sessions = _Sessions(LOOKS_MAX)
    sessions.ended = {LOOKS_MAX - 2, LOOKS_MAX - 1}
    assert sessions.search() == [LOOKS_MAX - 2]
    before = sessions.asked

    assert sessions.search() == [LOOKS_MAX - 1]
    assert sessions.asked - before == 1


def test_line_that_is_put_in_order_with_the_first_search_has_the_order_of_the_others() -> None:
    shelves = [Shelf(Stream("env_1", f"ci-{number}", str(number)), Leaving()) for number in range(4)]
    line = Line(lambda: [shelf for shelf in shelves if shelf.is_in_line])
    for number, which in enumerate((0, 1, 2, 3, 1)):
        shelf = shelves[which]
        shelf.extend([exchange(number, str(which))], [1])
        if not shelf.is_in_line:
            shelf.is_in_line = True
            line.enter(shelf)
        line.touch([shelf])
    shelves[2].is_in_line = False
    line.leave(shelves[2])
    found: list[str] = []

    def is_enough(shelf: Shelf) -> bool:
        found.append(shelf.stream.session_id)
        return False

    line.search(1, lambda *_: False, is_enough)
    assert found == ["0", "3", "1"]

    line.touch([shelves[0]])
    line.search(1, lambda *_: False, is_enough)
    assert found[3:] == ["3", "1", "0"]
