from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from understudy_server.cli.tables import fold, lines_of, widths_of, without_empty

LOG = ("log_" + "1" * 26, "2026-06-23 12:00:00Z", "POST /api/pay", "402", "250 ms", "service")
KEY = ("key_" + "1" * 26, "CI", "fmk_AbCd…", "editor", "checkout/staging", "works")


def table(columns: tuple[str, ...], row: tuple[str, ...], room: int = 80) -> list[str]:
    widths = widths_of(columns, [row], room)
    assert widths is not None
    return [line for each in (columns, row) for line in lines_of(each, widths)]


def test_exchanges_are_a_table_at_the_usual_width() -> None:
    lines = table(("ID", "AT", "REQUEST", "STATUS", "TIME", "ANSWERED BY"), LOG)
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines[2:]] == [
        [LOG[0], "2026-06-23", "POST", "402", "250", "service"],
        ["12:00:00Z", "/api/pay", "ms"],
    ]


def test_keys_are_a_table_at_the_usual_width() -> None:
    lines = table(("ID", "NAME", "KEY", "ROLE", "FOR", "STATE"), KEY)
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == list(KEY)


def test_no_room_is_left_over_while_a_column_wants_some() -> None:
    row = ("ovr_a", "a " * 20, "b " * 20, "c " * 20)
    widths = widths_of(("ID", "A", "B", "C"), [row], 60)
    assert widths is not None
    assert sum(widths) + 6 == 60


def test_columns_that_say_nothing_are_left_out() -> None:
    assert without_empty(["ID", "A", "B"], [["", "", "x"], ["1", "", ""]]) == (["ID", "B"], [["", "x"], ["1", ""]])


def test_a_moment_is_broken_between_day_and_time() -> None:
    assert fold("2026-06-23 12:00:00Z", 11) == ["2026-06-23", "12:00:00Z"]


def test_a_path_is_broken_behind_what_divides_it() -> None:
    assert fold("/api/users?name=x", 12) == ["/api/users?", "name=x"]
    assert fold("POST /api/pay", 9) == ["POST", "/api/pay"]


def test_a_word_is_broken_only_where_it_must_be() -> None:
    assert fold("a abcdefgh", 4) == ["a", "abcd", "efgh"]


def test_where_names_alone_take_the_room_there_is_no_table() -> None:
    assert widths_of(("ID", "NOTE"), [("x" * 40, "something")], 40) is None


def test_lines_have_no_blanks_at_their_ends() -> None:
    assert list(lines_of(("a", "b"), (4, 4))) == ["a     b"]


@given(st.text("ab /?&=,語", max_size=40), st.integers(2, 12))
def test_folding_loses_nothing_and_keeps_to_the_width(text: str, width: int) -> None:
    lines = fold(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(cell_len, lines)) <= width


@given(
    st.lists(st.lists(st.text("ab /", max_size=30), min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(10, 120),
)
def test_a_table_keeps_to_its_room(rows: list[list[str]], room: int) -> None:
    widths = widths_of(("A", "B", "C"), rows, room)
    if widths is not None:
        assert max(len(line) for row in rows for line in lines_of(row, widths)) <= room
