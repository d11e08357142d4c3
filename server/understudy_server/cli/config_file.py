"""The root of ``understudy.yaml``: its section ``server:``, and whether it declares anything beside.

The file may be large or made to do harm, and is read here by the process that serves. So only the stream of YAML's
events is looked at, and no further than needed: nothing is built of what stands outside of the section, and no alias
is expanded. What is wrong elsewhere in the file is for the reader of manifests to find.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from understudy_server.manifest.composing import BOM, NO_TAGS, tag_directive
from understudy_server.manifest.limits import DEPTH_MAX_LEVELS, YAML_FILE_BYTES_MAX

SECTION = "server"


class BadConfig(Exception):
    """A file that cannot be used. The message names the file, the place in it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as it is written, and where: ``understudy.yaml:3:9``."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Config:
    """What the root of a file says. ``declares`` is true when it has any key but ``server``."""

    server: Mapping[str, Setting] = field(default_factory=dict)
    declares: bool = False

    def texts(self) -> dict[str, str]:
        """The settings without their places."""
        return {name: setting.text for name, setting in self.server.items()}


def read_config(path: Path) -> Config:
    """Read the root of a file. Raises BadConfig."""
    try:
        content = _content(path)
    except OSError as error:
        raise BadConfig(f"cannot read {path}: {error.strerror}") from error
    if len(content) > YAML_FILE_BYTES_MAX:
        most = f"more than {YAML_FILE_BYTES_MAX} bytes"
        raise BadConfig(f"{path} has {most}; put parts of it in files of their own (include:)")
    return parse_config(content, str(path))


def _content(path: Path) -> bytes:
    """The beginning of a regular file, a byte more than is allowed at most. Raises BadConfig and OSError."""
    # Opened without waiting: a pipe in the place of a file would have us wait for whoever writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise BadConfig(f"cannot read {path}: {_kind(mode)}; name a file, which can be read again")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(YAML_FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "it is a folder"
    return "it is a pipe" if stat.S_ISFIFO(mode) else "it is no regular file"


def parse_config(content: bytes, name: str) -> Config:
    """Read the root of a file's content; ``name`` is what messages call it. Raises BadConfig."""
    tags_in = tag_directive(content.removeprefix(BOM))
    if tags_in is not None:
        raise BadConfig(f"{name}:{tags_in + 1}:1: {NO_TAGS}; leave it out")
    try:
        return _Root(name, content.decode("utf-8-sig")).read(has_section=SECTION.encode() in content)
    except UnicodeDecodeError as error:
        raise BadConfig(f"{name} is not YAML: it is not UTF-8 (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise BadConfig(f"{place}: it is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        # Words first, then lines about a place in bytes.
        raise BadConfig(f"{name} is not YAML: {str(error).splitlines()[0]}") from error


class _Root:
    """Reads one document, event by event."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self._anchors: dict[str, yaml.ScalarEvent] = {}

    def read(self, *, has_section: bool) -> Config:
        """Read as far as the section, if there may be one. Raises BadConfig and yaml.YAMLError."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent) or _is_nothing(event := next(self._events)):
            return Config()
        if not isinstance(event, yaml.MappingStartEvent):
            raise self._bad(event, f"the file must be a mapping, with keys such as {SECTION}: and projects:")
        declares = False
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if isinstance(key, yaml.ScalarEvent) and key.value == SECTION:
                server = self._section(self._after(key))
                declares = declares or not isinstance(next(self._events), yaml.MappingEndEvent)
                return Config(server, declares)
            declares = True
            if not has_section:
                break
            self._skip(self._after(key))
        return Config(declares=declares)

    def _section(self, event: Any) -> dict[str, Setting]:
        if _is_nothing(event):
            return {}
        if not isinstance(event, yaml.MappingStartEvent):
            raise self._bad(event, f"{SECTION} must be a mapping of settings")
        found: dict[str, Setting] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            value = self._after(key)
            if not isinstance(key, yaml.ScalarEvent):
                raise self._bad(key, f"{SECTION} must be a mapping of settings")
            if key.value in found:
                raise self._bad(key, f"{SECTION}.{key.value} stands there twice; keep one")
            found[key.value] = self._setting(key, value)
        return found

    def _setting(self, key: Any, value: Any) -> Setting:
        scalar = self._anchors.get(value.anchor or "") if isinstance(value, yaml.AliasEvent) else value
        if not isinstance(scalar, yaml.ScalarEvent) or _is_nothing(scalar):
            raise self._bad(value, f"{SECTION}.{key.value} must be text or a whole number")
        return Setting(scalar.value, self._place(value))

    def _after(self, key: Any) -> Any:
        """The first event of the value that belongs to a key."""
        self._skip(key)
        event = next(self._events)
        self._note_anchor(event)
        return event

    def _skip(self, event: Any) -> None:
        """Pass over what an event begins, to its end."""
        self._note_anchor(event)
        depth = _step(event)
        while depth:
            event = next(self._events)
            self._note_anchor(event)
            depth += _step(event)
            if depth > DEPTH_MAX_LEVELS:
                # The parser takes a time that grows with the square of the depth.
                raise self._bad(event, f"nested deeper than {DEPTH_MAX_LEVELS} levels; make the file simpler")

    def _note_anchor(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent) and event.anchor:
            self._anchors[event.anchor] = event

    def _place(self, event: Any) -> str:
        return f"{self._name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"

    def _bad(self, event: Any, message: str) -> BadConfig:
        return BadConfig(f"{self._place(event)}: {message}")


def _step(event: Any) -> int:
    """How much deeper it is after an event: 1, 0 or -1."""
    if isinstance(event, yaml.CollectionStartEvent):
        return 1
    return -1 if isinstance(event, yaml.CollectionEndEvent) else 0


def _is_nothing(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value in ("", "~", "null")
