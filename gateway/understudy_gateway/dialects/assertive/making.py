"""The mocks that stubs become: what is sent to the server to make them, and what its refusal says of the stub."""

import re
from collections.abc import Sequence
from typing import Any, Final

from understudy.v1.mock_service_pb2 import Mock, MockOperation
from understudy.v1.session_mock_service_pb2 import SessionMock

from understudy_gateway.dialects.assertive import names, stub_notes, validation
from understudy_gateway.dialects.assertive.server import Refused
from understudy_gateway.dialects.assertive.stubs import Translated
from understudy_gateway.dialects.assertive.validation import Invalid

_NAME_CHARACTERS_MAX: Final = 200
OPERATIONS: Final = 3
"""A stub of no scope is so many operations."""

_OPERATION: Final = re.compile(r"operations\[(\d+)\]")
_MOCK: Final = re.compile(r"^(operations\[\d+\]\.create\.)?mock\.")
_PLACE: Final = re.compile(r"operations\[\d+\]\.create: ")
_LOCS: Final = (
    ("matcher.path", ("request", "path")),
    ("matcher.method", ("request", "method")),
    ("matcher.all_headers", ("request", "headers")),
    ("matcher.all_query", ("request", "query")),
    ("matcher.body", ("request", "body")),
    ("matcher.host", ("request", "host")),
    ("matcher", ("request",)),
    ("action.respond.template", ("action", "response", "template_body")),
    ("action.respond.headers", ("action", "response", "headers")),
    ("action.respond.status", ("action", "response", "status_code")),
    ("action.respond", ("action", "response", "body")),
    ("action.forward.set_headers", ("action", "proxy", "headers")),
    ("action.forward.first_byte_ms", ("action", "proxy", "timeout")),
    ("action.forward", ("action", "proxy", "url")),
    ("action.events", ("action", "sse", "events")),
    ("action.delay", ("chaos", "latency")),
    ("action.fault", ("chaos", "faults")),
    ("action", ("action",)),
    ("lifetime", ("max_calls",)),
    ("annotations", ("request",)),
)
"""Where in a stub a field of its mock comes from, the first that fits."""


def operations(stub_id: str, stub: Translated, order: int) -> list[MockOperation]:
    """What makes a stub of no scope: a mock that is on for all. Raises Invalid."""
    made = Mock(id=names.mock_id(stub_id), **_parts(stub, order))
    make, publish, switch_on = MockOperation(), MockOperation(), MockOperation()
    make.create.mock.CopyFrom(made)
    publish.publish.mock_id = switch_on.activate.mock_id = made.id
    return [make, publish, switch_on]


def renamed(steps: Sequence[MockOperation], stub_id: str) -> list[MockOperation]:
    """What makes a stub, as what makes the same one with another id."""
    copies = [MockOperation.FromString(each.SerializeToString()) for each in steps]
    make, publish, switch_on = copies
    make.create.mock.id = publish.publish.mock_id = switch_on.activate.mock_id = names.mock_id(stub_id)
    return copies


def session_mock(stub: Translated, order: int) -> SessionMock:
    """What makes a stub of a scope: a mock of its session's own. Raises Invalid."""
    return SessionMock(**_parts(stub, order))


def _parts(stub: Translated, order: int) -> dict[str, Any]:
    try:
        notes = stub_notes.write(stub.view, order, stub.matcher, stub.action)
    except stub_notes.TooLong as too_long:
        raise validation.refused(str(too_long), loc=("body", "request")) from too_long
    lifetime = stub.lifetime()
    parts: dict[str, Any] = {
        "name": _name(stub),
        "matcher": stub.matcher,
        "action": stub.action,
        "annotations": notes,
    }
    return parts if lifetime is None else {**parts, "lifetime": lifetime}


def _name(stub: Translated) -> str:
    """What people see of it elsewhere: its method and its path, as far as these are texts."""
    shown = [stub.view["request"][part] for part in ("method", "path")]
    words = " ".join([each if isinstance(each, str) and each.isprintable() else "*" for each in shown])
    return words.strip()[:_NAME_CHARACTERS_MAX]


def invalid(refused: Refused, payload: Any, within: tuple[str, ...] = ()) -> Invalid:
    """Say of a stub what the server refuses about its mock, at the place where it stands in the stub.

    ``within`` is the part of a stub that the payload is; empty for all of it.
    """
    field = _MOCK.sub("", refused.problem.field)
    loc = next((found[len(within) :] for start, found in _LOCS if field.startswith(start)), ())
    message = _PLACE.sub("", refused.problem.message)
    # The field is named as the server names it, and stands where the message begins.
    told = message.removeprefix("mock.").removeprefix(field)
    message = f"{'.'.join(loc)}{told}" if loc and told != message else message
    return validation.refused(message, _at(payload, loc), ("body", *loc))


def number_in_batch(refused: Refused) -> int | None:
    """Which of the stubs that were to be made together is refused, from 0; None when it is none of them."""
    found = _OPERATION.match(refused.problem.field)
    return int(found[1]) // OPERATIONS if found else None


def _at(payload: Any, loc: tuple[str, ...]) -> Any:
    for name in loc:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload
