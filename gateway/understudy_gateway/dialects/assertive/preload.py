"""Stubs that are there from the start: the file that names them."""

import json
from dataclasses import dataclass
from typing import Any

from understudy_gateway.dialects.assertive import names, reading, stubs
from understudy_gateway.dialects.assertive.stubs import Translated
from understudy_gateway.dialects.assertive.validation import Invalid


class PreloadError(ValueError):
    """The file cannot be used, so that the start fails. The message is for people, and without the name of the file."""


@dataclass(frozen=True, slots=True)
class Preloaded:
    """A stub of the file. Without an id of its own (None) one is made for it."""

    stub_id: str | None
    stub: Translated


def read(content: bytes) -> list[Preloaded]:
    """Read the file: a list of stubs, or an object with one under `stubs`. Raises PreloadError."""
    try:
        root = reading.parse(content)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PreloadError(f"Invalid JSON in the file of stubs: {error.msg} at {place}") from error
    entries = root.get("stubs") if isinstance(root, dict) else root
    if not isinstance(entries, list):
        raise PreloadError(
            "The file of stubs must be a JSON list of stubs, or an object with such a list under 'stubs'"
        )
    found = [_entry(entry, place) for place, entry in enumerate(entries, start=1)]
    _check_unique(found)
    return found


def _entry(entry: Any, place: int) -> Preloaded:
    if not isinstance(entry, dict):
        raise PreloadError(f"Stub {place} must be an object")
    if "scope" in entry:
        raise PreloadError(f"Stub {place} cannot define scope: the stubs of the file belong to none")
    stub_id = _id(entry, place)
    try:
        return Preloaded(stub_id, stubs.translate(entry))
    except Invalid as invalid:
        raise PreloadError(f"Stub {place}: Invalid stub payload: {invalid}") from invalid


def _id(entry: dict[str, Any], place: int) -> str | None:
    given = entry.get("stub_id")
    given = entry.get("id") if given is None else given
    if given is None:
        return None
    stub_id = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else None
    if stub_id is None:
        raise PreloadError(f"Stub {place}: its id must be a text")
    if not stub_id:
        raise PreloadError(f"Stub {place}: its id cannot be empty")
    try:
        names.mock_id(stub_id)
    except names.UnusableStubId as unusable:
        raise PreloadError(f"Stub {place} cannot have the id {stub_id[:80]!r}: {unusable}") from unusable
    return stub_id


def _check_unique(found: list[Preloaded]) -> None:
    seen: dict[str, int] = {}
    for place, each in enumerate(found, start=1):
        if each.stub_id is None:
            continue
        first = seen.setdefault(each.stub_id, place)
        if first != place:
            raise PreloadError(f"Stub {place} has the id {each.stub_id!r} of stub {first}")
