"""What is wrong with a manifest, where, and what to write instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy_server.manifest.limits import MESSAGE_BYTES_MAX, PROBLEMS_KEPT_MAX, PROBLEMS_MAX, SHOWN_CHARACTERS_MAX

if TYPE_CHECKING:
    from understudy_server.manifest.reading import Read


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file. ``file`` is a path as it was given; ``line`` and ``column`` count characters from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``field`` is a dotted path as written, empty for the file itself."""

    mark: Mark
    field: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        place = f"{self.mark}: {self.field}" if self.field else str(self.mark)
        return f"{place}: {self.message}; {self.advice}" if self.advice else f"{place}: {self.message}"


class Unreadable(Exception):
    """A manifest cannot be read. ``problems``: the first of them, in order of place, and never none.

    ``files`` are what was looked at, as in Read: when one of them changes, reading again may help. ``rest`` is what
    could be read beside what is wrong, if the reading came to the end.
    """

    def __init__(
        self, problems: Sequence[Problem], files: tuple[Path, ...] = (), rest: "Read[Any] | None" = None
    ) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
        self.files = files
        self.rest = rest


class BadValue(Exception):
    """A value does not fit. Raised where the place is not known and caught where it is."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class TooLarge(BadValue):
    """With this value, all that is read together is too large. Reading ends there."""

    def __init__(self) -> None:
        size = f"{-(-MESSAGE_BYTES_MAX // (1024 * 1024))} MiB"
        message = f"with this, aliases, variables and files written out, there is more than {size}"
        super().__init__(message, "use fewer aliases, or make several manifests of it")


class TooManyProblems(Exception):
    """There is no use in reading on."""


class Problems:
    """Collects problems as they are met."""

    def __init__(self) -> None:
        self._found: dict[tuple[Mark, str], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Problem) -> None:
        """Note a problem; once, however often an alias leads to it. Raises TooManyProblems."""
        self._found.setdefault((problem.mark, problem.message), problem)
        if len(self._found) >= PROBLEMS_KEPT_MAX:
            raise TooManyProblems

    def first(self, files: Iterable[str]) -> Sequence[Problem]:
        """The first of them in order of place; ``files`` are names in their order."""
        order = {name: number for number, name in enumerate(files)}

        def place(problem: Problem) -> tuple[int, int, int]:
            return order.get(problem.mark.file, len(order)), problem.mark.line, problem.mark.column

        return sorted(self._found.values(), key=place)[:PROBLEMS_MAX]


def shown(text: str) -> str:
    """A value as a problem repeats it: quoted, and cut short."""
    return repr(text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…")
