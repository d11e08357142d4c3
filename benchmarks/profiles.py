"""What a profile tells: where the time of a process went, by function and by room, as a table has room for it."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias, TypeVar

from benchmarks.sampling import Frame, Stack

Key = TypeVar("Key", bound=Hashable)

LINES = 12
# Function and room.
_Place: TypeAlias = tuple[str, str]
_LOOP, _THREADS = "event loop", "threads"
# Below these nothing of ours runs: the time is that of the loop or of a thread that waits for work.
_RUNNERS = {"asyncio/runners.py": _LOOP, "uvloop/__init__.py": _LOOP}
_RUNNERS |= dict.fromkeys(("threading.py", "concurrent/futures/thread.py"), _THREADS)
_FROZEN = "<frozen "
_SERVER, _GATEWAY, _CLIENT = "understudy_server", "understudy_gateway", "understudy"


@dataclass(frozen=True)
class Spot:
    """A function that had a share (0 to 1) of the time, with what it calls in compiled code, and its room.

    ``inside`` is the compiled function that most of the share was spent in, if there is one, with its part of it.
    """

    share: float
    function: str
    room: str
    inside: str = ""


@dataclass(frozen=True)
class Profile:
    """The spots with the most time, most first, and the rooms with all of theirs. ``said`` are sentences above them.

    Without spots nothing could be seen, and ``said`` tells why.
    """

    said: str
    rooms: tuple[tuple[str, float], ...] = ()
    spots: tuple[Spot, ...] = ()


def profile_of(shares: Mapping[Stack, float], said: str, lines: int = LINES) -> Profile:
    """Each stack counts for the innermost function of Python in it, compiled code for who called it."""
    own, rooms = defaultdict[_Place, float](float), defaultdict[str, float](float)
    inside = defaultdict[_Place, defaultdict[str, float]](lambda: defaultdict(float))
    for stack, share in shares.items():
        place = _place(stack)
        own[place] += share
        rooms[place[1]] += share
        if not stack.frames[-1].is_python:
            inside[place][stack.frames[-1].function] += share
    spots = [Spot(share, *place, _most(inside[place], share, place[0])) for place, share in _most_first(own)[:lines]]
    return Profile(said, tuple(_most_first(rooms)), tuple(spots))


def room_of(path: str) -> str:
    """The room of a file: of ours its folder, of others their package."""
    if path.startswith(_FROZEN):
        return "import" if "importlib" in path else path.removeprefix(_FROZEN).rstrip(">")
    package, *rest = path.split("/")
    if package == _SERVER:
        return rest[0] if len(rest) > 1 else "server"
    return {_GATEWAY: "gateway", _CLIENT: "client"}.get(package, package.removesuffix(".py"))


def _place(stack: Stack) -> _Place:
    python: Frame | None = next((frame for frame in reversed(stack.frames) if frame.is_python), None)
    runner = _RUNNERS.get(python.path) if python else _THREADS
    if python is None or runner:
        return stack.frames[-1].function, runner or _THREADS
    return f"{python.function} ({_short(python.path)})", room_of(python.path)


def _short(path: str) -> str:
    """Without the package where it is ours: the room says which it is."""
    for prefix in (f"{_SERVER}/", f"{_GATEWAY}/", _FROZEN):
        path = path.removeprefix(prefix)
    return path.rstrip(">")


def _most(inside: Mapping[str, float], share: float, function: str) -> str:
    if not inside:
        return ""
    name, part = _most_first(inside)[0]
    return "" if name == function else f"{name} {part / share:.0%}"


def _most_first(shares: Mapping[Key, float]) -> list[tuple[Key, float]]:
    return sorted(shares.items(), key=itemgetter(1), reverse=True)


def table(profile: Profile) -> Sequence[str]:
    """As lines of a table of Markdown."""
    head = ["| share | function | room | most of it in |", "| ---: | --- | --- | --- |"]
    return [*head, *(f"| {each.share:.1%} | {each.function} | {each.room} | {each.inside} |" for each in profile.spots)]
