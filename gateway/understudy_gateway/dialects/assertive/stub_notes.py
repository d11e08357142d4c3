"""What a mock remembers of the stub that it is: how it was asked for, for whoever lists stubs.

It is kept as a note of the mock, without what its action says in the very same words, and given up when somebody has
changed the mock by another door: then it would not be true any more.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock

from understudy_gateway.dialects.assertive import mock_view

_NOTE: Final = "assertive"
_NOTE_CHARACTERS_MAX: Final = 262_144
_NOTES_MAX: Final = 8


class Noted(NamedTuple):
    """A stub as it was asked for: ``view`` as in `stubs.Translated`; of two, the one of a lesser ``order`` is older."""

    view: dict[str, Any]
    order: int


class TooLong(ValueError):
    """What a stub asks for takes more room than there is for it."""


def write(view: Mapping[str, Any], order: int, matcher: RequestMatcher, action: Action) -> dict[str, str]:
    """Write the notes of a mock. Raises TooLong."""
    note = {
        "order": order,
        "of": _digest(matcher, action),
        "request": view["request"],
        "action": _without_contents(view["action"]),
        "chaos": view["chaos"],
    }
    text = json.dumps(note, ensure_ascii=False, separators=(",", ":"))
    parts = [text[start : start + _NOTE_CHARACTERS_MAX] for start in range(0, len(text), _NOTE_CHARACTERS_MAX)]
    if len(parts) > _NOTES_MAX:
        raise TooLong("The stub asks for too much: all that it asks for may take 2 MiB.")
    return {_name(number): part for number, part in enumerate(parts)}


def read(mock: Mock) -> Noted | None:
    """Read the notes of a mock; None of one that has none, or was changed since."""
    notes = mock.annotations
    if _NOTE not in notes:
        return None
    try:
        note = json.loads("".join([notes[_name(number)] for number in range(_NOTES_MAX) if _name(number) in notes]))
        if note["of"] != _digest(mock.matcher, mock.action):
            return None
        action = _with_contents(note["action"], mock.action)
        return Noted({"request": note["request"], "action": action, "chaos": note["chaos"]}, note["order"])
    except (ValueError, KeyError, TypeError):
        # Somebody else wrote it.
        return None


def _name(number: int) -> str:
    return f"{_NOTE}.{number}" if number else _NOTE


def _digest(matcher: RequestMatcher, action: Action) -> str:
    content = hashlib.sha256(matcher.SerializeToString(deterministic=True))
    content.update(action.SerializeToString(deterministic=True))
    return content.hexdigest()[:32]


def _without_contents(action: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(action)
    if shown["response"] is not None:
        shown["response"] = {**shown["response"], "body": None, "template_body": None}
    if shown["sse"] is not None:
        shown["sse"] = {**shown["sse"], "events": None}
    return shown


def _with_contents(shown: dict[str, Any], action: Action) -> dict[str, Any]:
    response, sse = shown["response"], shown["sse"]
    if response is not None:
        kind = action.respond.WhichOneof("body")
        if kind == "template":
            response["template_body"] = action.respond.template
        else:
            response["body"] = json.loads(action.respond.json) if kind == "json" else action.respond.text
    if sse is not None:
        sse["events"] = [mock_view.event(each) for each in action.events.events]
    return shown
