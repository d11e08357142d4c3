"""What a mock keeps of a request, before its answer is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from understudy_server.core.json_paths import Query
from understudy_server.core.matching import json_values
from understudy_server.core.responding.making import CannotAnswer
from understudy_server.core.responding.template_state import owner_of
from understudy_server.core.responding.templates import TextTemplate
from understudy_server.core.state import NotANumber, Scope, StateFull
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run

STATE_FULL: Final = "state_full"
NOT_A_NUMBER: Final = "not_a_number"

Find = Callable[[Run], Any]
"""Finds what is to be kept; ``NOTHING`` when there is nothing. Raises Fault."""


class _Nothing:
    """There is nothing to be kept."""


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Text:
    """A value as JSON text, kept as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Increment:
    """What is to be added to the number that is there."""

    by: int


_WRITTEN_IN_A_STEP = 32


@dataclass(frozen=True, slots=True)
class Extraction:
    """One value that is kept. ``source`` finds it, or says what is done."""

    scope: Scope
    key: str
    source: Find | Text | Increment
    counts: bool = False
    wants_body: bool = False

    def keep(self, run: Run) -> None:
        """Keep it. Raises CannotAnswer, Fault."""
        state, owner = run.scene.state, owner_of(run.scene, self.scope)
        source = self.source
        try:
            if isinstance(source, Increment):
                state.increment(owner, self.key, source.by)
            elif isinstance(source, Text):
                state.set_text(owner, self.key, source.text)
            elif (value := source(run)) is not NOTHING:
                state.set_value(owner, self.key, value)
        except StateFull:
            raise CannotAnswer(STATE_FULL, f"there is no room to keep {self.key!r}") from None
        except NotANumber:
            raise CannotAnswer(
                NOT_A_NUMBER, f"{self.key!r} is not a number, and so nothing can be added to it"
            ) from None
        except ValueError:
            # A number of a length that is not written.
            raise Fault(f"the value for {self.key!r} cannot be kept") from None


def by_json_path(query: Query) -> Find:
    """The first value that a path selects of the body."""

    def find(run: Run) -> Any:
        run.take(run.scene.request.steps_to_read_json())
        document = run.scene.request.json()
        if document is json_values.UNREADABLE:
            return NOTHING
        found = next(iter(query.values(document, run)), NOTHING)
        # To be kept it is written, which takes longer than reading it, and it may be all of the body.
        if isinstance(found, dict | list):
            run.take(3 * json_values.steps_to_read(run.scene.request.content()))
        elif isinstance(found, str):
            run.take(len(found) // _WRITTEN_IN_A_STEP)
        return found

    return find


def by_header(name: str) -> Find:
    """The first value of a header."""
    raw = name.lower().encode("latin-1", "replace")
    return lambda run: _first(run.scene.request.header(raw))


def by_query(name: str) -> Find:
    """The first value of a query parameter."""
    return lambda run: _first(run.scene.request.parameters().get(name))


def by_cookie(name: str) -> Find:
    """The first value of a cookie."""
    return lambda run: _first(run.scene.request.cookies().get(name))


def by_path_parameter(name: str) -> Find:
    """The value of a parameter of the path."""
    return lambda run: run.scene.path_parameters.get(name, NOTHING)


def by_template(template: TextTemplate) -> Find:
    """The text that a template makes."""
    return template.render


def _first(values: Sequence[str] | None) -> Any:
    return values[0] if values else NOTHING
