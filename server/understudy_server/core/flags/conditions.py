"""Conditions and rules, compiled to what is asked of a context's attributes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from understudy_server.core.flags.model import ABSENT, Condition, Join, JsonValue, MaybeJson, Operator, Rule
from understudy_server.core.flags.operators import POSITIVE, Check, check_of, never, operator_of, texts_of

Attributes: TypeAlias = Mapping[str, JsonValue]

Path: TypeAlias = Callable[[Attributes], JsonValue]
"""Finds a part of an attribute. ``None`` when it is not there, or null."""

_STEP: Final = "."


class Probe(NamedTuple):
    """What a condition asks.

    ``path`` is asked when there is no attribute of the whole name, and is ``None`` when that name has no parts.
    ``check`` must say ``wanted`` of what is there; where nothing is, the condition holds unless ``wanted``. ``texts``
    spares the call: where they are given, the check of a text is whether it is among them.
    """

    attribute: str
    path: Path | None
    texts: frozenset[str] | None
    check: Check
    wanted: bool

    def found(self, attributes: Attributes) -> JsonValue:
        """What is there, ``None`` when nothing is."""
        value = attributes.get(self.attribute)
        return self.path(attributes) if value is None and self.path is not None else value

    def holds(self, attributes: Attributes) -> bool:
        """Tell whether the condition holds, as `compiled.CompiledFlag` does for many, and quicker."""
        value = self.found(attributes)
        return (value is not None and self.check(value)) is self.wanted


class CompiledCondition(NamedTuple):
    """A condition and how it is asked.

    ``operator`` is ``None`` when its name is unknown. ``comparable`` is false when what it compares with is nothing
    that its operator can use, such as a number for ``in``.
    """

    condition: Condition
    operator: Operator | None
    comparable: bool
    probe: Probe


def compile_condition(condition: Condition) -> CompiledCondition:
    """Compile a condition. Never fails: one that makes no sense never holds, or, negated, always."""
    attribute, known = condition.attribute, operator_of(condition.operator)
    path = _path(attribute) if _STEP in attribute else None
    if known is None:
        probe = Probe(attribute, path, None, never, wanted=True)
        return CompiledCondition(condition, None, comparable=False, probe=probe)
    positive = POSITIVE.get(known, known)
    check = check_of(positive, condition.value)
    probe = Probe(attribute, path, texts_of(positive, condition.value), check, known is positive)
    return CompiledCondition(condition, known, check is not never, probe)


def compile_rule(rule: Rule, conditions: Sequence[CompiledCondition]) -> Sequence[Sequence[Probe]]:
    """The ways in which a rule matches: each is a list of conditions that must all hold."""
    probes = tuple(each.probe for each in conditions)
    if probes and rule.join is Join.ANY:
        return tuple((each,) for each in probes)
    return (probes,)


def matches(ways: Sequence[Sequence[Probe]], attributes: Attributes) -> bool:
    """Tell whether a rule matches."""
    return any(all(each.holds(attributes) for each in way) for way in ways)


def found_of(compiled: CompiledCondition, attributes: Attributes) -> MaybeJson:
    """What the attribute of a condition is, for people; `ABSENT` when it is not there."""
    value = compiled.probe.found(attributes)
    return ABSENT if value is None else value


def _path(attribute: str) -> Path:
    first, *steps = attribute.split(_STEP)

    def path(attributes: Attributes) -> JsonValue:
        value = attributes.get(first)
        for step in steps:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    return path
