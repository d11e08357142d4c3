"""JSON as people type it on a command line: what is no JSON is text, so that quotes need not be quoted."""

import json
from collections.abc import Iterable, Iterator, Mapping

from understudy_server.cli.failures import CommandFailed, ExitCode


def json_of(word: str) -> str:
    """A word as JSON: as it is when it is some, else as text. So ``green`` is text; ``true`` and ``"true"`` differ."""
    try:
        json.loads(word, parse_constant=_refuse)
    except ValueError:
        return json.dumps(word, ensure_ascii=False)
    return word


def members_of(
    flag: str, words: Iterable[str] | None, *, value_needed: bool = True
) -> Iterator[tuple[str, str | None]]:
    """Keys with values as JSON, of words such as ``key=value``; an empty word says that there are none.

    Raises CommandFailed (usage) for a word without a value where one is needed.
    """
    for word in words or ():
        key, is_there, value = word.partition("=")
        if not word:
            continue
        if not key or (value_needed and not is_there):
            raise CommandFailed(ExitCode.USAGE, f"{flag} {word!r} is not of the form KEY=VALUE")
        yield key, json_of(value) if is_there else None


def object_of(flag: str, words: Iterable[str] | None) -> str:
    """A JSON object of such words; of two with the same key the later one counts. Raises CommandFailed (usage)."""
    return written({key: value for key, value in members_of(flag, words) if value is not None})


def written(members: Mapping[str, str]) -> str:
    """A JSON object of keys and values, which are JSON already and stay as they are."""
    return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{value}" for key, value in members.items()) + "}"


def _refuse(_name: str) -> None:
    raise ValueError
