# ruff: noqa: A002 - the names of arguments are those that templates see
"""The functions of answers' templates: time, chance and made-up data. What is drawn is noted for the record."""

import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from understudy_server.core.responding import fake_data
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.values import Callee, Function, Lookup, items_of, number, text, text_of, whole

NOTES_MAX: Final = 100
"""So many draws of one answer are put on record, and then that there were more."""

NOTED_LENGTH_MAX: Final = 200

_DRAW_STEPS = 20
_FORMAT_MAX = 200
# Directives alone: with widths, as some systems have them, a text could be made as long as one likes.
_DIRECTIVES = re.compile(r"(?:[^%]|%[aAbBcdDeFGHIjmMnpSTuUVwWxXyYzZ%f])*")
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def note(run: Run, name: str, value: Any) -> Any:
    """Put on record what was drawn, and return it."""
    run.drawn += 1
    if run.drawn <= NOTES_MAX:
        run.draws.note(name, text_of(run, value)[:NOTED_LENGTH_MAX])
    elif run.drawn == NOTES_MAX + 1:
        run.draws.note("more", "are not on record")
    return value


def random_int(run: Run, least: Any = 0, greatest: Any = 100) -> int:
    """A whole number from ``least`` to ``greatest``, both included."""
    run.take(_DRAW_STEPS)
    low, high = whole(least), whole(greatest)
    if low > high:
        raise Fault("random_int needs its lower end first")
    return int(note(run, "random_int", run.draws.random.randint(low, high)))


def random_float(run: Run, least: Any = 0.0, greatest: Any = 1.0, digits: Any = None) -> float:
    """A number from ``least`` to ``greatest``, with so many ``digits`` behind the point."""
    run.take(_DRAW_STEPS)
    drawn = run.draws.random.uniform(float(number(least)), float(number(greatest)))
    return float(note(run, "random_float", drawn if digits is None else round(drawn, min(whole(digits), 17))))


def random_bool(run: Run, probability: Any = 0.5) -> bool:
    """True as often as ``probability`` says."""
    run.take(_DRAW_STEPS)
    return bool(note(run, "random_bool", run.draws.random.random() < number(probability)))


def random_choice(run: Run, values: Any) -> Any:
    """One of a list."""
    run.take(_DRAW_STEPS)
    found = items_of(run, values)
    if not found:
        raise Fault("there is nothing to choose from")
    return note(run, "random_choice", run.draws.random.choice(found))


def random_string(run: Run, length: Any = 10, alphabet: Any = _ALPHANUMERIC) -> str:
    """So many characters of an alphabet: letters and digits unless it is given."""
    count = whole(length)
    run.take(_DRAW_STEPS + 8 * max(count, 0))
    if not text(alphabet):
        raise Fault("there is nothing to choose from")
    return str(note(run, "random_string", fake_data.characters(run.draws.random, alphabet, count)))


def uuid(run: Run) -> str:
    """A UUID of version 4."""
    run.take(_DRAW_STEPS)
    return str(note(run, "uuid", fake_data.uuid(run.draws.random)))


def fake_function(name: str) -> Function | None:
    """Find a function for made-up data."""
    made = fake_data.fake(name)
    if made is None:
        return None

    def make(run: Run, *arguments: Any, **named: Any) -> Any:
        run.take(10 * _DRAW_STEPS)
        value = made(run.draws.random, *arguments, **named)
        run.take(2 * len(str(value)))
        return note(run, f"fake.{name}", value)

    # So that arguments that it cannot take are told when the template is compiled: a run or a source, one comes first.
    functools.update_wrapper(make, made)
    return make


def fake(run: Run, name: Any, *arguments: Any, **named: Any) -> Any:
    """Made-up data of a kind that is named by a text."""
    made = fake_function(text(name))
    if made is None:
        raise Fault(f"there is no made-up data of the name {name}")
    return made(run, *arguments, **named)


class FakeView(Lookup):
    """``fake``, where it is asked for what it has instead of being called."""

    __slots__ = ()

    def find(self, key: str) -> Any:
        found = fake_function(key)
        return Callee(f"fake.{key}", found) if found else Callee("fake", fake)

    def keys(self) -> Mapping[str, Any]:
        return fake_data.FAKES


def now(
    run: Run,
    format: Any = None,
    *,
    days: Any = 0,
    hours: Any = 0,
    minutes: Any = 0,
    seconds: Any = 0,
) -> str:
    """The time (UTC) as ``2026-07-01T12:00:00.000Z``, or as a ``format`` of ``strftime`` says; later by so much."""
    run.take(_DRAW_STEPS)
    moment = _moment(run, days, hours, minutes, seconds)
    if format is None:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    wanted = text(format)
    if len(wanted) > _FORMAT_MAX or not _DIRECTIVES.fullmatch(wanted):
        raise Fault("the format of a time is of % and one letter each, and at most 200 characters long")
    return moment.strftime(wanted)


def now_ms(run: Run, *, days: Any = 0, hours: Any = 0, minutes: Any = 0, seconds: Any = 0) -> int:
    """The time in milliseconds since 1970 (UTC); later by so much."""
    moment = _moment(run, days, hours, minutes, seconds)
    return round(moment.timestamp() * 1000)


def now_seconds(run: Run, *, days: Any = 0, hours: Any = 0, minutes: Any = 0, seconds: Any = 0) -> int:
    """The time in whole seconds since 1970 (UTC); later by so much."""
    return now_ms(run, days=days, hours=hours, minutes=minutes, seconds=seconds) // 1000


def _moment(run: Run, days: Any, hours: Any, minutes: Any, seconds: Any) -> datetime:
    whole_seconds, milliseconds = divmod(run.scene.now_ms, 1000)
    moment = datetime.fromtimestamp(whole_seconds, UTC).replace(microsecond=milliseconds * 1000)
    later = timedelta(days=number(days), hours=number(hours), minutes=number(minutes), seconds=number(seconds))
    return moment + later


FUNCTIONS: Final[Mapping[str, Function]] = {
    "fake": fake,
    "now": now,
    "now_ms": now_ms,
    "now_seconds": now_seconds,
    "random_bool": random_bool,
    "random_choice": random_choice,
    "random_float": random_float,
    "random_int": random_int,
    "random_string": random_string,
    "uuid": uuid,
}
"""By name."""

_DRAWING_NAMES = [name for name in FUNCTIONS if not name.startswith("now")]
DRAWING: Final = frozenset([*_DRAWING_NAMES, *[f"{name}()" for name in _DRAWING_NAMES], "|random"])
"""Whatever draws by chance: functions, called or not, and the filter, as `Template.needs` has them."""
