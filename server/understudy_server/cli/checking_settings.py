"""Checking the section ``server:`` of ``understudy.yaml`` without a server: with a bad one none starts."""

import re
from collections.abc import Iterator
from pathlib import Path

from understudy_server.cli.config_file import SECTION, BadConfig, Config, Setting, parse_config, read_config
from understudy_server.cli.settings import NAMES, read_texts
from understudy_server.manifest.nearest import nearest
from understudy_server.manifest.problems import Mark, Problem

_AT_A_PLACE = re.compile(r"(?P<file>.*?):(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<message>.*)", re.DOTALL)


def problems_in_file(path: Path) -> list[Problem]:
    """What is wrong with the section in a file."""
    try:
        return list(_problems(read_config(path)))
    except BadConfig as error:
        return [_unreadable(str(error), str(path))]


def problems_in_text(text: str, name: str) -> list[Problem]:
    """What is wrong with the section in a text that problems call ``name``."""
    try:
        return list(_problems(parse_config(text.encode(errors="surrogatepass"), name)))
    except BadConfig as error:
        return [_unreadable(str(error), name)]


def _problems(config: Config) -> Iterator[Problem]:
    known = {name: setting for name, setting in config.server.items() if name in NAMES}
    for name, setting in config.server.items():
        if name not in known:
            meant = nearest(name, NAMES)
            advice = f"did you mean {meant}?" if meant else f"there are: {', '.join(NAMES)}"
            yield Problem(_mark(setting), f"{SECTION}.{name}", "is not known here", advice)
    wrong, together = read_texts({name: setting.text for name, setting in known.items()})
    for name, message in wrong.items():
        yield Problem(_mark(known[name]), f"{SECTION}.{name}", message)
    if together:
        yield Problem(_mark(next(iter(known.values()))), SECTION, together)


def _mark(setting: Setting) -> Mark:
    file, line, column = setting.place.rsplit(":", 2)
    return Mark(file, int(line), int(column))


def _unreadable(message: str, name: str) -> Problem:
    found = _AT_A_PLACE.fullmatch(message)
    if found is None:
        return Problem(Mark(name, 1, 1), SECTION, message)
    return Problem(Mark(found["file"], int(found["line"]), int(found["column"])), "", found["message"])
