"""Writing over ``understudy.yaml`` and keeping what no server can tell: its section ``server:``."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from understudy_server.cli.config_file import SECTION, BadConfig, read_config
from understudy_server.cli.failures import CommandFailed, ExitCode


def section_of(path: Path) -> Mapping[str, str]:
    """The settings that stand in a file, none when it is not there.

    Raises CommandFailed when that cannot be told, so that nothing is lost by writing over it.
    """
    if not path.exists():
        return {}
    try:
        return read_config(path).texts()
    except BadConfig as error:
        message = f"{error}; so what may stand under `{SECTION}:` cannot be kept"
        raise CommandFailed(ExitCode.USAGE, message, f"Write to another file, or remove {path} first.") from error


def with_section(text: str, settings: Mapping[str, str], *, as_json: bool) -> str:
    """A manifest in YAML or JSON, with the settings at its end."""
    if not settings:
        return text
    if as_json:
        inside = text.strip().removeprefix("{").removesuffix("}").rstrip()
        section = f'"{SECTION}": {json.dumps(dict(settings), ensure_ascii=False)}'
        return "{" + ", ".join(part for part in (inside, section) if part) + "}\n"
    section = yaml.safe_dump({SECTION: dict(settings)}, sort_keys=False, width=1_000_000)
    *lines, last = text.splitlines(keepends=True)
    # Nothing is declared.
    return "".join(lines if last.strip() == "{}" else [*lines, last]) + section
