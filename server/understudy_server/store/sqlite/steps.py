"""Numbered steps that make the schema of a file, or bring it up to date.

They are applied by ``sqlite_utils``, which takes long to import: a file that has every step is not touched by it.
"""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlite_utils import Database

Step = TypeVar("Step", bound="Callable[[Database], None]")


class Steps:
    """The steps of one kind of file, in their order. ``name`` is that of the file without its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._steps: list[Callable[[Database], None]] = []

    def __call__(self) -> Callable[[Step], Step]:
        """Make a function the next step, by its own name."""

        def add(step: Step) -> Step:
            self._steps.append(step)
            return step

        return add

    @property
    def names(self) -> list[str]:
        """The names of the steps that this release knows, in the order in which they are applied."""
        return [step.__name__ for step in self._steps]

    def apply(self, connection: sqlite3.Connection) -> None:
        """Apply the steps that a file lacks, each in a transaction of its own."""
        from sqlite_utils import Database  # noqa: PLC0415 - see above
        from sqlite_utils.migrations import Migrations  # noqa: PLC0415

        steps = Migrations(self.name)
        for step in self._steps:
            steps()(step)
        steps.apply(Database(connection))

    def applied(self, connection: sqlite3.Connection) -> set[str]:
        """The names of the steps that a file has, as ``sqlite_utils`` notes them in it."""
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
            return set()
        rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (self.name,))
        return {step for (step,) in rows}
