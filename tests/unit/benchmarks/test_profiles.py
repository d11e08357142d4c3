"""Which function and which room a stack counts for, and how a profile stands on the page."""

import pytest

from benchmarks.profiles import Profile, Spot, profile_of, room_of, table
from benchmarks.sampling import Frame, Stack

LOOP = Frame("Runner.run", "asyncio/runners.py")
FLUSH = Frame("Outlet.flush", "understudy_server/proxy/outlet.py")
WRITE, READ = Frame("write (libc.so.6)"), Frame("read (libc.so.6)")
JOIN = Frame("unicode_join (libpython3.11.so.1.0)")


def stack(*frames: Frame) -> Stack:
    return Stack(frames)


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("understudy_server/proxy/outlet.py", "proxy"),
        ("understudy_server/store/sqlite/writer.py", "store"),
        ("understudy_gateway/dialects/flowmock.py", "gateway"),
        ("understudy/v1/session_service_pb2.py", "client"),
        ("starlette/routing.py", "starlette"),
        ("json/decoder.py", "json"),
        ("random.py", "random"),
        ("<frozen importlib._bootstrap_external>", "import"),
        ("<frozen abc>", "abc"),
    ],
)
def test_a_file_is_in_the_room_of_its_folder_or_in_its_package(path: str, room: str) -> None:
    assert room_of(path) == room


def test_compiled_code_counts_for_the_function_that_called_it() -> None:
    found = profile_of({stack(LOOP, FLUSH): 0.25, stack(LOOP, FLUSH, WRITE): 0.5, stack(LOOP, FLUSH, JOIN): 0.25}, "")

    assert found.spots == (Spot(1.0, "Outlet.flush (proxy/outlet.py)", "proxy", "write (libc.so.6) 50%"),)


def test_what_no_function_of_ours_called_is_the_event_loops_by_its_own_name() -> None:
    found = profile_of({stack(LOOP, READ): 0.75, stack(READ): 0.25}, "")

    assert [(each.function, each.room, each.inside) for each in found.spots] == [
        ("read (libc.so.6)", "event loop", ""),
        ("read (libc.so.6)", "threads", ""),
    ]


def test_the_greatest_come_first_and_rooms_count_all_of_theirs() -> None:
    shares = {stack(Frame(f"f{number}", f"understudy_server/live/{number}.py")): number / 10 for number in range(5)}
    found = profile_of(shares, "The server was busy.", lines=2)

    assert [each.function for each in found.spots] == ["f4 (live/4.py)", "f3 (live/3.py)"]
    assert [(room, round(share, 6)) for room, share in found.rooms] == [("live", 1.0)]


def test_a_profile_is_a_table_of_its_spots() -> None:
    profile = Profile("", (), (Spot(0.125, "flush (proxy/outlet.py)", "proxy", "write (libc.so.6) 50%"),))

    assert table(profile)[2:] == ["| 12.5% | flush (proxy/outlet.py) | proxy | write (libc.so.6) 50% |"]
