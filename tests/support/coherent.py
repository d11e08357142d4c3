"""What drawn messages must keep beside the limits of the contract, so that a server can make something of them.

Values of fields with rules that no limit shows, and what puts a message right that contradicts itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from understudy.v1.actions_pb2 import (
    FAULT_KIND_CUT,
    FAULT_KIND_RESET,
    EventStream,
    Fault,
    LogNormalDelay,
    Respond,
    UniformDelay,
)
from understudy.v1.actions_pb2 import Sequence as SequenceMessage
from understudy.v1.manifest_service_pb2 import ManifestMock
from understudy.v1.matching_pb2 import (
    Criteria,
    Criterion,
    FieldsCriterion,
    FormCriterion,
    Remainder,
    RequestMatcher,
    StateCriterion,
)
from understudy.v1.state_pb2 import STATE_SCOPE_CHAIN, Lifetime

_TEMPLATES = ("", "plain", "no", "{{ request.method }}", "a: {{ request.query.page | default('1') }}\n", "${A}", "1:30")
_PATTERNS = ("", "[0-9]{4}", "a|b", "^/api/.*$", "(?i)x", "\\d+", "no", "${A}", "#a")
_PATHS = ("$", "$.card.number", "$..token", "$['a b'][0]", "$.items[?@.price > 10].id", "$[*]")
_NUMBERS = ("0", "-17", "1.50", "1E5", "2e-3", "12345678901234567890")
_HEADER_NAMES = ("x-a", "X-A", "set-cookie", "content-type", "no", "1", "x.y", "*", "~")

SPECIAL: Mapping[str, Sequence[Any]] = {
    "understudy.v1.Header.name": _HEADER_NAMES,
    "understudy.v1.Redaction.json_paths": ("$", "$.card.number", "$..token", "$['a b'][0]", "$.items[*].id"),
    "understudy.v1.ManifestEnvironment.upstream": (
        "",
        "http://localhost",
        "https://staging.example.com:8443/a/b",
        "http://[::1]:8080/",
        "https://a/$$&'()*,;=:@%41",
    ),
    "understudy.v1.RequestMatcher.path": ("/", "/api/pay", "/api/users/:id", "/a/{b}/c/", "/a%3Ab", "/é no", "/~"),
    "understudy.v1.Criterion.pattern": _PATTERNS,
    "understudy.v1.Criterion.pattern_at_start": _PATTERNS,
    "understudy.v1.Criterion.pattern_within": _PATTERNS,
    "understudy.v1.Criterion.greater_than": _NUMBERS,
    "understudy.v1.Criterion.at_least": (*_NUMBERS, '"no"'),
    "understudy.v1.Criterion.less_than": _NUMBERS,
    "understudy.v1.Criterion.at_most": (*_NUMBERS, '""'),
    "understudy.v1.Criterion.json_schema": ("true", "{}", '{"type":"object","required":["id"]}', '{"minimum":1.50}'),
    "understudy.v1.Between.lower": ("-1", "0", "1.50"),
    "understudy.v1.Between.upper": ("1.50", "2", "1e5"),
    "understudy.v1.Remainder.remainder": (0, 1, 2),
    "understudy.v1.JsonPathCriterion.path": _PATHS,
    "understudy.v1.Extraction.json_path": _PATHS,
    "understudy.v1.Extraction.header": _HEADER_NAMES,
    "understudy.v1.Extraction.template": _TEMPLATES,
    "understudy.v1.Respond.template": _TEMPLATES,
    "understudy.v1.ServerEvent.data": _TEMPLATES,
    "understudy.v1.ServerEvent.event": ("", "message", "no", "{{ request.method }}"),
    "understudy.v1.ServerEvent.id": ("", "1", "1e3", "{{ request.method }}"),
    "understudy.v1.EventStream.rounds": (1, 2, 1_000_000),
    "understudy.v1.Forward.target": ("https://staging.example.com", "http://[::1]:8080/a", "http://a/$$"),
    "understudy.v1.Forward.remove_headers": _HEADER_NAMES,
    "understudy.v1.PathRewrite.replace": ("/", "/v2/users", "/no"),
    "understudy.v1.PathRewrite.strip_prefix": ("/api", "/", "/no"),
    "understudy.v1.PatternRewrite.pattern": ("^/v1/", "(a)(b)", "no"),
    "understudy.v1.PatternRewrite.replacement": ("", "/v2/", "no", "${A}"),
}
"""Values that a field may have, by its name."""

LEFT_OUT = frozenset(("understudy.v1.Respond.file", "understudy.v1.Extraction.path_parameter"))
"""Fields that name what must be there."""

NEVER_EMPTY = frozenset(f"understudy.v1.{name}" for name in ("Carrier", "Criterion", "PathRewrite", "Extraction"))
"""Messages that must have one of their alternatives."""


def put_right(message: Message) -> None:
    """Let a message that was drawn with the limits of its fields alone no longer contradict itself."""
    right = _RIGHT.get(message.DESCRIPTOR.full_name)
    if right is not None:
        right(message)


def _criterion(message: Any) -> None:
    test = message.WhichOneof("test")
    if test not in {"equals", "contains", "prefix", "suffix", "pattern", "pattern_at_start", "pattern_within"}:
        message.ClearField("ignore_case")
    if test not in {"json_equals", "json_subset"}:
        message.ClearField("ignore_order")


def _criteria(message: Any) -> None:
    if not message.criteria:
        message.criteria.add().equals = "x"


def _named_criteria(message: Any) -> None:
    if not message.fields:
        message.fields["x"].equals = "x"


def _remainder(message: Any) -> None:
    message.divisor = message.divisor or 3
    message.remainder %= message.divisor


def _state_criterion(message: Any) -> None:
    if not message.HasField("criterion"):
        message.criterion.present = True


def _matcher(message: Any) -> None:
    if message.path:
        message.ClearField("path_criterion")
    if message.method:
        message.ClearField("method_criterion")
    seen = set[str]()
    for name in sorted(message.headers):
        if name.lower() in seen:
            # The case of a header's name does not count.
            del message.headers[name]
        seen.add(name.lower())


def _respond(message: Any) -> None:
    if any("{" in header.value for header in message.headers):
        message.ClearField("header_templates")


def _sequence(message: Any) -> None:
    if not message.steps:
        message.steps.add()


def _events(message: Any) -> None:
    if not message.events:
        message.events.add(data="x")


def _uniform(message: Any) -> None:
    message.min_ms, message.max_ms = sorted((message.min_ms, message.max_ms))


def _log_normal(message: Any) -> None:
    message.median_ms = message.median_ms or 90


def _fault(message: Any) -> None:
    message.kind = message.kind or FAULT_KIND_RESET
    if message.kind != FAULT_KIND_CUT:
        message.ClearField("fraction")


def _lifetime(message: Any) -> None:
    if message.not_after_ms:
        message.not_before_ms, message.not_after_ms = sorted((message.not_before_ms, message.not_after_ms))
        if message.not_before_ms == message.not_after_ms:
            message.not_before_ms = 0


def _mock(message: Any) -> None:
    if not message.chain and _has_chain(message):
        message.chain = "order"


def _has_chain(mock: Any) -> bool:
    scopes = [each.scope for each in (*mock.matcher.state, *mock.action.extract)]
    return STATE_SCOPE_CHAIN in (*scopes, mock.lifetime.uses_per, mock.machine.scope)


_RIGHT: Mapping[str, Callable[[Any], None]] = {
    kind.DESCRIPTOR.full_name: right
    for kind, right in (
        (Criterion, _criterion),
        (Criteria, _criteria),
        (FormCriterion, _named_criteria),
        (FieldsCriterion, _named_criteria),
        (Remainder, _remainder),
        (StateCriterion, _state_criterion),
        (RequestMatcher, _matcher),
        (Respond, _respond),
        (SequenceMessage, _sequence),
        (EventStream, _events),
        (UniformDelay, _uniform),
        (LogNormalDelay, _log_normal),
        (Fault, _fault),
        (Lifetime, _lifetime),
        (ManifestMock, _mock),
    )
}
