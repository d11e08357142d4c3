"""What is sent to make a stub, an assertion or a scope: the fields, what each takes, and what is wrong otherwise.

Beside what the product refuses, refused is what breaks it when it is used: a criterion with wrong arguments, a status
that is none, a header that cannot be sent; and a time that is longer than ours are.
"""

from typing import Any, Final

from understudy_gateway.dialects.assertive import validation
from understudy_gateway.dialects.assertive.headers import headers
from understudy_gateway.dialects.assertive.targets import target
from understudy_gateway.dialects.assertive.validation import Check, Loc, Member, Problems
from understudy_gateway.dialects.assertive.wire import WrongCriterion, parse

DELAY_MAX_MS: Final = 120_000
"""No answer, and no event, is held back for longer."""

RETRY_MAX_MS: Final = 2**32 - 1

SCOPE_NAME: Final = r"^[A-Za-z0-9_-]+$"


def _criteria(inner: Check) -> Check:
    """Check what may be a criterion, or hold some, and read it."""

    def read(given: Any, loc: Loc, problems: Problems) -> Any:
        known = len(problems.found)
        inner(given, loc, problems)
        if len(problems.found) > known:
            return None
        try:
            return parse(given)
        except WrongCriterion as wrong:
            return problems.add_value_error((*loc, *wrong.loc), str(wrong), wrong.given)

    return read


def _matched(name: str, inner: Check) -> Member:
    """A part of a request that may be asked for; null is the same as absent."""
    return Member(name, validation.optional(_criteria(inner)), None)


_text = validation.text
_milliseconds = validation.integer(ge=0, le=DELAY_MAX_MS)

_REQUEST: Final = validation.model(
    _matched("method", validation.text_or_mapping),
    _matched("path", validation.text_or_mapping),
    _matched("body", validation.anything),
    _matched("headers", validation.mapping),
    _matched("host", validation.text_or_mapping),
    _matched("query", validation.mapping),
)


def _one_body(values: dict[str, Any]) -> None:
    if (values["body"] is None) is (values["template_body"] is None):
        raise ValueError("Exactly one of body or template_body must be provided.")


_RESPONSE: Final = validation.model(
    Member("status_code", validation.integer(ge=200, le=599)),
    Member("headers", headers),
    Member("body", validation.anything, None),
    Member("template_body", validation.optional(_text), None),
    after=_one_body,
)

_PROXY: Final = validation.model(
    Member("url", target),
    Member("headers", headers, {}),
    Member("timeout", validation.integer(ge=1), 5),
)

_EVENT: Final = validation.model(
    Member("data", _text),
    Member("event", validation.optional(_text), None),
    Member("id", validation.optional(_text), None),
    Member("retry", validation.optional(validation.integer(ge=0, le=RETRY_MAX_MS)), None),
    Member("delay_ms", validation.optional(_milliseconds), None),
)

_SSE: Final = validation.model(
    Member("events", validation.sequence(_EVENT, at_least=1)),
    Member("default_delay_ms", _milliseconds, 0),
)


def _one_action(values: dict[str, Any]) -> None:
    if sum(value is not None for value in values.values()) != 1:
        raise ValueError("Exactly one of response, proxy, or sse must be provided.")


_ACTION: Final = validation.model(
    Member("response", validation.optional(_RESPONSE), None),
    Member("proxy", validation.optional(_PROXY), None),
    Member("sse", validation.optional(_SSE), None),
    after=_one_action,
)


def _not_too_long(latency: dict[str, Any]) -> None:
    if latency["base_ms"] + latency["jitter_ms"] > DELAY_MAX_MS:
        raise ValueError(f"base_ms and jitter_ms together must be at most {DELAY_MAX_MS}.")


def _of_today(chaos: dict[str, Any]) -> dict[str, Any]:
    """Put the shapes of older releases, a `delay` and one that is not nested, into that of today."""
    if "connection_drop" in chaos:
        raise ValueError("Use chaos.faults.connection_drop instead of chaos.connection_drop")
    if "latency" in chaos:
        return chaos
    if "delay" in chaos:
        return {**chaos, "latency": chaos["delay"]}
    flat = {
        name: chaos[older] for name, older in (("base_ms", "delay_ms"), ("jitter_ms", "jitter_ms")) if older in chaos
    }
    return {**chaos, "latency": flat} if flat else chaos


_LATENCY: Final = validation.model(
    Member("base_ms", _milliseconds, 0), Member("jitter_ms", _milliseconds, 0), after=_not_too_long
)
_DROP: Final = validation.model(Member("probability", validation.number(ge=0.0, le=1.0), 1.0))
_FAULTS: Final = validation.model(Member("connection_drop", validation.optional(_DROP), None))
_CHAOS: Final = validation.model(
    Member("latency", _LATENCY, {"base_ms": 0, "jitter_ms": 0}),
    Member("faults", _FAULTS, {"connection_drop": None}),
    before=_of_today,
)

_STUB: Final = validation.model(
    Member("request", _REQUEST),
    Member("action", _ACTION),
    Member("max_calls", validation.optional(validation.integer()), None),
    Member("chaos", validation.optional(_CHAOS), None),
)


def _times(given: Any, loc: Loc, problems: Problems) -> Any:
    """A criterion on a number, a number, or a text, which no number is equal to."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    return validation.text_or_mapping(given, loc, problems)


_ASSERTION: Final = validation.model(
    _matched("path", validation.text_or_mapping),
    _matched("method", validation.text_or_mapping),
    _matched("headers", validation.mapping),
    _matched("body", validation.text_or_mapping),
    _matched("host", validation.text_or_mapping),
    _matched("query", validation.mapping),
    _matched("times", _times),
)

_SCOPE: Final = validation.model(Member("name", validation.text_of(SCOPE_NAME)))


def stub(payload: Any) -> dict[str, Any]:
    """Check what makes a stub: `request`, `action`, `max_calls` and `chaos`, with every field and its default.

    What `request` holds was read as criteria (`wire.parse`). Raises Invalid.
    """
    return dict(validation.check(payload, _STUB))


def assertion(payload: Any) -> dict[str, Any]:
    """Check what is asked about calls: every field, read as criteria; None where nothing is asked. Raises Invalid."""
    return dict(validation.check(payload, _ASSERTION))


def scope_name(payload: Any) -> str:
    """Check what makes a scope, and return its name as it was sent. Raises Invalid."""
    return str(validation.check(payload, _SCOPE)["name"])
