"""A page of the documentation as what a reader would do with it: its fenced blocks, in order, and notes for the test.

A block is fenced with its language and, for a file, its name: ```` ```yaml title=understudy.yaml ````, with ``append``
when it belongs at the end of that file. What only the test must know stands in a comment, which no reader sees:

- ``<!-- test: not run: REASON -->`` before a block;
- ``<!-- test: stays, port 8080 -->`` before a command that does not end: it goes on until something listens there;
- ``<!-- test: inside projects.checkout -->`` before a part of a file, which is checked at that place of one;
- ``<!-- test: wrong -->`` before a file that is to be refused;
- ``<!-- test: server -->``: from here on a server runs, with its sample project and its data in ``understudy-data``;
- ``<!-- test: run COMMAND -->``: a step between blocks; ``<!-- test: wait COMMAND -->``: again until it works.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- test: (?P<note>.*?) -->", re.DOTALL)
_BEFORE_A_BLOCK = ("not run", "stays", "inside", "wrong")


@dataclass(frozen=True)
class Block:
    """What stands between fences. ``line`` is where it begins; ``notes`` are those before it, by their word."""

    language: str
    text: str
    line: int
    title: str = ""
    appends: bool = False
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A note that stands for itself: ``word`` is ``server``, ``run`` or ``wait``."""

    word: str
    text: str
    line: int


def read_page(path: Path) -> list[Block | Step]:
    """The blocks and steps of a page, in order. Raises ``ValueError`` for a note that has no place."""
    return list(_parts(path.read_text(encoding="utf-8"), str(path)))


def _parts(text: str, name: str) -> Iterator[Block | Step]:
    notes: dict[str, str] = {}
    end = 0
    for found in [*_FENCE.finditer(text), None]:
        between = text[end : found.start() if found else len(text)]
        for note in _NOTE.finditer(between):
            line = text.count("\n", 0, end + note.start()) + 1
            word, rest = _split(note["note"])
            if word in _BEFORE_A_BLOCK:
                notes[word] = rest
            elif word in ("server", "run", "wait"):
                yield Step(word, rest, line)
            else:
                raise ValueError(f"{name}:{line}: no such note: {note['note']}")
        if found is None:
            break
        end = found.end()
        yield _block(found, text.count("\n", 0, found.start()) + 1, notes)
        notes = {}
    if notes:
        raise ValueError(f"{name}: no block follows the note {notes}")


def _split(note: str) -> tuple[str, str]:
    note = note.strip()
    word = next((each for each in _BEFORE_A_BLOCK if note.startswith(each)), note.split(None, 1)[0])
    return word, note[len(word) :].strip(" :,\n")


def _block(found: re.Match[str], line: int, notes: dict[str, str]) -> Block:
    language, *attributes = found["info"].split() or [""]
    title = next((each.removeprefix("title=") for each in attributes if each.startswith("title=")), "")
    return Block(language, found["text"], line, title, "append" in attributes, dict(notes))


@dataclass(frozen=True)
class Command:
    """A command of a ``console`` block, and the lines that it prints."""

    text: str
    output: tuple[str, ...]


def read_commands(text: str) -> list[Command]:
    """The commands of a ``console`` block: after ``$``, and ``>`` where they go on; all else is output."""
    commands: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append(([line[2:]], []))
        elif not commands:
            raise ValueError(f"a console block begins with a command, not with {line!r}")
        elif line.startswith("> ") and not commands[-1][1]:
            commands[-1][0].append(line[2:])
        else:
            commands[-1][1].append(line.rstrip())
    return [Command("\n".join(words), tuple(lines)) for words, lines in commands]
