"""JSON Schemas that users write, put to values that anybody sends.

The work is done by jsonschema-rs, without its ways out: no other document is fetched, patterns run in time proportional
to the text, and `format` only describes. What a schema may cost for a value is known before it is put to it, see
`schema_costs.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

import orjson

from understudy_server.core import schema_graph, strict_json
from understudy_server.core.json_paths import normalized
from understudy_server.core.schema_costs import Costs
from understudy_server.core.schema_graph import BadSchema, Graph
from understudy_server.core.steps import STEPS_MAX, Steps, TooManySteps

__all__ = ["BadSchema", "Schema", "compile"]

TEXT_MAX: Final = 256 * 1024
"""A schema has at most so many characters."""

_PATTERN_BYTES_MAX: Final = 1 << 20
_MESSAGE_MAX: Final = 200
# Errors times the length of the value: up to here it takes some 10 ms (measured) to make them.
_ERRORS_BYTES_MAX: Final = 30_000


class _Validator(Protocol):
    def is_valid(self, instance: Any) -> bool: ...

    def validate(self, instance: Any) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema that can be put to any JSON value. Both ways raise TooManySteps when it would take too long."""

    text: str
    _validator: _Validator
    _graph: Graph
    _costs: Costs

    def holds(self, value: Any, steps: Steps | None = None) -> bool:
        """Tell whether the value is valid. Half a surrogate pair is not, in a name or where a pattern looks at it."""
        steps = Steps() if steps is None else steps
        try:
            told = self._costs.at_most(value, steps.left)
            if told is None or told > steps.left:
                told = self._costs.of(value, steps.left)
            steps.take(1 + told)
        except TooManySteps:
            steps.left = 0
            raise
        try:
            return self._validator.is_valid(value)
        except UnicodeEncodeError:
            return False

    def fault(self, value: Any, steps: Steps | None = None) -> str | None:
        """What is wrong with the value first, and where, in one line; ``None`` when it is valid.

        In a large value it is only said that something is wrong.
        """
        if self.holds(value, steps):
            return None
        # The validator copies the value into each error that it makes, those of alternatives included.
        from jsonschema_rs import ValidationError  # noqa: PLC0415 - as below

        if not self._is_told_quickly(value):
            return "it is not valid by the schema"
        try:
            self._validator.validate(value)
        except ValidationError as error:
            return f"{_shortened(error.message)} (at {normalized(error.instance_path)})"
        except ValueError:
            # Half a surrogate pair, or nested deeper than an error can hold.
            pass
        return "it is not valid by the schema"

    def _is_told_quickly(self, value: Any) -> bool:
        try:
            errors = Costs(self._graph, remembering=False).of(value) if self._graph.has_alternatives else 1
            return errors * len(orjson.dumps(value)) <= _ERRORS_BYTES_MAX
        except (TooManySteps, TypeError):
            # What cannot be written is an integer of many digits, or half a surrogate pair.
            return False


def compile(text: str) -> Schema:  # noqa: A001 - as in re
    """Read a schema, of draft 2020-12 unless `$schema` names another. Raises BadSchema."""
    return _compiled(text)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Schema:
    # Only when there is a schema: it takes a while, and most servers start without one.
    from jsonschema_rs import RegexOptions, ValidationError, validator_for  # noqa: PLC0415

    if len(text) > TEXT_MAX:
        raise BadSchema(f"it has {len(text)} characters; {TEXT_MAX} are the most")
    try:
        schema = strict_json.parse(text)
    except strict_json.MalformedJson as error:
        raise BadSchema(f"it is not JSON: {error}") from None
    if not isinstance(schema, dict | bool):
        raise BadSchema("it is neither an object nor true or false")
    options = RegexOptions(size_limit=_PATTERN_BYTES_MAX, dfa_size_limit=_PATTERN_BYTES_MAX)
    try:
        validator = validator_for(schema, validate_formats=False, pattern_options=options, offline=True)
    except ValidationError as error:
        raise BadSchema(f"{_shortened(error.message)} (at {normalized(error.instance_path)})") from None
    except ValueError as error:
        raise BadSchema(_shortened(str(error))) from None
    graph = schema_graph.read(schema if isinstance(schema, dict) else {})
    try:
        return Schema(text, validator, graph, Costs(graph))
    except TooManySteps:
        raise BadSchema(f"it puts its parts to the same value more than {STEPS_MAX} times") from None


def _shortened(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_MAX else line[:_MESSAGE_MAX] + "..."
