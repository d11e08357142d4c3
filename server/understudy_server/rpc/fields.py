"""Checks what the contract says of a request's fields, at every door: lengths, ranges, patterns, what is required.

The rules are read from the descriptors once per message and kept as a plan, so that a call only pays for its own
fields.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from understudy.options.v1.options_pb2 import ON_VIOLATION_CLAMP, ON_VIOLATION_TRUNCATE, Limits

from understudy_server.core import strict_json
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.giving_way import give_way, giving_way, sorted_giving_way
from understudy_server.core.strict_json import MalformedJson
from understudy_server.rpc import options

MASK_FIELD = "update_mask"
_SHOWN_CHARACTERS = 100
_REMEMBERED_TEXTS, _REMEMBERED_CHARACTERS = 512, 1024
_FIRST_SECOND, _LAST_SECOND, _LAST_NANO = -62_135_596_800, 253_402_300_799, 999_999_999
_INTEGERS = frozenset(
    (
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    )
)

_DOUBLES = frozenset((FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT))

Test = Callable[[Any, str], None]
"""Tests one value of a field at a path. Raises InvalidInput."""

_Names = frozenset[str] | None
"""Names of fields, and paths to what lies within them; ``None`` for all."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What holds for one field.

    ``tests`` are for each value, ``key_test`` is for each key of a map; ``nested``: its values are messages to check;
    ``is_one_value``: a single one, and nothing to check within it.
    """

    name: str
    reason: str
    limits: Limits
    is_required: bool
    is_repeated: bool
    has_presence: bool
    is_map: bool
    key_test: Test | None
    tests: tuple[Test, ...]
    nested: bool
    adjusts: bool
    is_one_value: bool


class _Plan(NamedTuple):
    """What holds for a message, and whether a mask says which fields of the messages in it count."""

    rules: tuple[_Rule, ...]
    has_mask: bool


def check(message: Message, *, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> None:
    """Check a request, fill in the numbers meant by absent fields, and clamp and cut where the contract says so.

    ``only`` restricts the check to some fields, ``but`` leaves some out. Where a request has an update mask, a required
    field of the resource counts only if the mask names it, or what it stands in. Raises InvalidInput with the field's
    own reason, naming field, rule, limit and input.
    """
    plan = _plan(message.DESCRIPTOR, only, but)
    _check(message, plan, "", None, _set_anew(message) if plan.has_mask else None)


def faults(message: Message) -> Iterator[InvalidInput]:
    """All that ``check`` would refuse, one by one, in the order of the fields; for messages without a mask.

    Nothing is filled in, clamped or cut: what would be is no fault.
    """
    return _faults(message, "")


def _faults(message: Message, prefix: str) -> Iterator[InvalidInput]:
    for rule in _plan(message.DESCRIPTOR).rules:
        path = prefix + rule.name
        if not (message.HasField(rule.name) if rule.has_presence else getattr(message, rule.name)):
            if rule.is_required:
                yield _missing(path, rule)
            continue
        value = getattr(message, rule.name)
        if not rule.is_repeated:
            yield from _faults_of(value, rule, path)
            continue
        yield from _caught(_check_length, value, rule, path)
        for name in sorted(value) if rule.is_map else range(len(value)):
            place = f"{path}[{name!r}]"
            if rule.key_test:
                yield from _caught(rule.key_test, name, place)
            yield from _faults_of(value[name], rule, place)


def _faults_of(value: Any, rule: _Rule, path: str) -> Iterator[InvalidInput]:
    if rule.limits.on_violation in (ON_VIOLATION_CLAMP, ON_VIOLATION_TRUNCATE):
        return
    for test in rule.tests:
        yield from _caught(test, value, path)
    if rule.nested:
        yield from _faults(value, path + ".")


def _caught(test: Callable[..., None], *given: Any) -> Iterator[InvalidInput]:
    try:
        test(*given)
    except InvalidInput as fault:
        yield fault


def _check(message: Message, plan: _Plan, prefix: str, counting: _Names, counting_below: _Names) -> None:
    """Check a message. ``counting``: which required fields of it count, and ``counting_below`` of those in it."""
    give_way()
    for rule in plan.rules:
        name = rule.name
        if rule.has_presence:
            is_set = message.HasField(name)
            # Looking at a message that is not there makes one.
            value = getattr(message, name) if is_set or rule.adjusts else None
        else:
            value = getattr(message, name)
            is_set = bool(value)
        if rule.adjusts:
            value = _adjust(message, rule, value, is_set=is_set)
        if is_set:
            path = prefix + name
            if rule.is_one_value:
                for test in rule.tests:
                    test(value, path)
                continue
            below = counting_below if counting is None else _named_within(counting, name)
            if rule.is_repeated:
                for place, each in _elements(value, rule, path):
                    _check_value(each, rule, place, below)
            else:
                _check_value(value, rule, path, below)
        elif rule.is_required and (counting is None or rule.name in counting):
            raise _missing(prefix + name, rule)


def _check_value(value: Any, rule: _Rule, path: str, counting: _Names) -> None:
    for test in rule.tests:
        test(value, path)
    if rule.nested:
        plan = _plan(value.DESCRIPTOR)
        # A request within a request, as in a batch, has a mask of its own.
        _check(value, plan, path + ".", counting, _set_anew(value) if plan.has_mask else None)


def _set_anew(request: Message) -> frozenset[str]:
    return frozenset(getattr(request, MASK_FIELD).paths)


def _named_within(counting: frozenset[str], name: str) -> _Names:
    """What a mask names within a field; ``None`` for all of one that is set whole."""
    inner = name + "."
    if name in counting:
        return None
    return frozenset([path[len(inner) :] for path in counting if path.startswith(inner)]) or None


def _missing(path: str, rule: _Rule) -> InvalidInput:
    return InvalidInput(f"{path} is required", Fault(path, "required"), code=rule.reason)


def _check_length(value: Any, rule: _Rule, path: str) -> None:
    if rule.limits.HasField("max_items") and len(value) > rule.limits.max_items:
        limit = rule.limits.max_items
        complaint = f"{path} has {len(value)} elements, more than {limit}"
        raise InvalidInput(complaint, Fault(path, "max_items", str(limit)), code=rule.reason)


def _elements(value: Any, rule: _Rule, path: str) -> Iterable[tuple[str, Any]]:
    _check_length(value, rule, path)
    if not rule.is_map:
        return [(f"{path}[{number}]", each) for number, each in enumerate(value)]
    names = sorted_giving_way(value)
    if rule.key_test:
        for name in giving_way(names):
            rule.key_test(name, f"{path}[{name!r}]")
    # One after the other: a list of thousands takes a millisecond to be let go of.
    return ((f"{path}[{name!r}]", value[name]) for name in names)


def _adjust(message: Message, rule: _Rule, value: Any, *, is_set: bool) -> Any:
    """Give a field the number meant by its absence, or bring it within its limits; returns its value now."""
    limits = rule.limits
    if not is_set:
        adjusted = limits.default_number if limits.HasField("default_number") else value
    elif limits.on_violation == ON_VIOLATION_CLAMP:
        adjusted = min(limits.max, value) if limits.HasField("max") else value
        adjusted = max(limits.min, adjusted) if limits.HasField("min") else adjusted
    elif limits.on_violation == ON_VIOLATION_TRUNCATE:
        adjusted = value[: limits.max_length]
    else:
        adjusted = value
    if adjusted != value:
        setattr(message, rule.name, adjusted)
    return adjusted


@cache
def _plan(descriptor: Descriptor, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> _Plan:
    fields = (field for field in descriptor.fields if (not only or field.name in only) and field.name not in but)
    rules = tuple(rule for field in fields if (rule := _rule(field)))
    return _Plan(rules, MASK_FIELD in descriptor.fields_by_name and any(rule.nested for rule in rules))


def _rule(field: FieldDescriptor) -> _Rule | None:
    """The rule of a field, or ``None`` when anything goes."""
    if options.is_output_only(field) or field.name == MASK_FIELD:
        return None
    limits, reason = options.limits(field), options.reason(field)
    # Text without presence is never absent, only empty, and empty text is shorter than any least length.
    never_empty = limits.min_length > 0 and not field.has_presence and not field.is_repeated
    is_required = options.is_required(field) or never_empty
    message_type = field.message_type
    is_map = message_type is not None and message_type.GetOptions().map_entry
    value_field = message_type.fields_by_name["value"] if message_type is not None and is_map else field
    nested = value_field.message_type is not None and value_field.message_type.file.package.startswith("understudy.")
    tests = tuple(_tests(field, limits, reason))
    if not (tests or nested or is_required or limits.ListFields()):
        return None
    return _Rule(
        name=field.name,
        reason=reason,
        limits=limits,
        is_required=is_required,
        is_repeated=field.is_repeated,
        has_presence=field.has_presence,
        is_map=bool(is_map),
        key_test=_key_test(limits, reason),
        tests=tests,
        nested=nested,
        adjusts=limits.HasField("default_number") or limits.on_violation in (ON_VIOLATION_CLAMP, ON_VIOLATION_TRUNCATE),
        is_one_value=not (field.is_repeated or nested),
    )


def _tests(field: FieldDescriptor, limits: Limits, reason: str) -> list[Test]:
    tests: list[Test] = []
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if limits.HasField("min_length") or limits.HasField("max_length"):
            tests.append(_length_test(limits, reason))
        if limits.HasField("pattern"):
            tests.append(_pattern_test("pattern", limits.pattern, limits.form, reason))
        if options.is_raw_json(field):
            tests.append(_json_test(reason))
    elif field.cpp_type in _INTEGERS and (limits.HasField("min") or limits.HasField("max")):
        least = limits.min if limits.HasField("min") else None
        most = limits.max if limits.HasField("max") else None
        tests.append(_range_test(least, most, reason))
    elif field.cpp_type in _DOUBLES:
        lowest = limits.least if limits.HasField("least") else None
        highest = limits.greatest if limits.HasField("greatest") else None
        tests.append(_finite_test(_range_test(lowest, highest, reason), reason))
    elif field.enum_type is not None:
        tests.append(_enum_test(frozenset(field.enum_type.values_by_number), reason))
    elif field.message_type is not None and field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        tests.append(_timestamp_test(reason))
    return tests


def _length_test(limits: Limits, reason: str) -> Test:
    least = limits.min_length
    most = limits.max_length if limits.HasField("max_length") else None

    def test(value: Any, path: str) -> None:
        length = len(value)
        if length < least:
            raise _refused(
                path, f"has {length} characters, fewer than {least}", "min_length", str(least), value, reason
            )
        if most is not None and length > most:
            raise _refused(path, f"has {length} characters, more than {most}", "max_length", str(most), value, reason)

    return test


def _key_test(limits: Limits, reason: str) -> Test | None:
    if not limits.HasField("key_pattern"):
        return None
    return _pattern_test("key_pattern", limits.key_pattern, limits.form, reason)


def _pattern_test(rule: str, pattern: str, form: str, reason: str) -> Test:
    compiled = re.compile(pattern)
    # Who sends a thing for the first time has not read the pattern, and few can read it.
    complaint = f"must be {form}" if form else f"must match {pattern}"

    def test(value: Any, path: str) -> None:
        if not compiled.fullmatch(value):
            raise _refused(path, complaint, rule, pattern, value, reason)

    return test


def _range_test(least: float | None, most: float | None, reason: str) -> Test:
    low, high = _plain(least), _plain(most)

    def test(value: Any, path: str) -> None:
        if least is not None and value < least:
            raise _refused(path, f"is {_plain(value)}, less than {low}", "min", low, _plain(value), reason)
        if most is not None and value > most:
            raise _refused(path, f"is {_plain(value)}, more than {high}", "max", high, _plain(value), reason)

    return test


def _plain(number: float | None) -> str:
    """A number as people write it: ``1`` and not ``1.0``."""
    return str(number).removesuffix(".0")


def _finite_test(then: Test, reason: str) -> Test:
    """Over gRPC a number with a fraction may be infinite, or none."""

    def test(value: Any, path: str) -> None:
        if not math.isfinite(value):
            raise _refused(path, f"is {value}, and must be a number", "finite", "", value, reason)
        then(value, path)

    return test


def _enum_test(known: frozenset[int], reason: str) -> Test:
    def test(value: Any, path: str) -> None:
        if value not in known:
            raise _refused(path, f"has no value {value}", "enum", "", value, reason)

    return test


def _timestamp_test(reason: str) -> Test:
    """Over gRPC a moment can hold any two numbers; only the years 1 to 9999 are moments (timestamp.proto)."""

    def test(value: Any, path: str) -> None:
        if not (_FIRST_SECOND <= value.seconds <= _LAST_SECOND and 0 <= value.nanos <= _LAST_NANO):
            given = f"{value.seconds} s, {value.nanos} ns"
            raise _refused(path, "is no moment of the years 1 to 9999", "timestamp", "", given, reason)

    return test


def _json_test(reason: str) -> Test:
    def test(value: Any, path: str) -> None:
        try:
            (_remember_json if len(value) <= _REMEMBERED_CHARACTERS else _check_json)(value)
        except MalformedJson as error:
            raise _refused(path, f"is not JSON: {error}", "json", "", value, reason) from None

    return test


def _check_json(text: str) -> None:
    strict_json.parse(text)


# The same short texts come again and again: who asks for flags asks for several, for one and the same user.
_remember_json = lru_cache(_REMEMBERED_TEXTS)(_check_json)


def _refused(path: str, complaint: str, rule: str, limit: str, value: Any, reason: str) -> InvalidInput:
    given = str(value)[:_SHOWN_CHARACTERS]
    return InvalidInput(f"{path} {complaint}", Fault(path, rule, limit, given), code=reason)
