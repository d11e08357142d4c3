"""A shell that runs commands in this process, on one data directory."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result
from understudy_server.cli.nouns import build

HERE = ("--project", "checkout", "--environment", "staging")
_CONTROL = re.compile(r"\x1b\[[0-9;]*m")


def invoke(
    arguments: Sequence[str], *, typed: bytes | str | None = None, env: Mapping[str, str] | None = None
) -> Result:
    """Run a command as ``main`` does: of the nouns only the one that is named is built. All take longer than a run."""
    return CliRunner(env=env).invoke(build(arguments), arguments, input=typed, catch_exceptions=False)


class Shell:
    """Runs commands on one data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def run(self, *arguments: str, place: tuple[str, ...] = HERE, typed: str | None = None, **environ: str) -> Result:
        """Run a command; ``typed`` is what stands on its input."""
        env = {"COLUMNS": "200"} | environ
        return invoke([*arguments, *place, "--data", str(self._data)], typed=typed, env=env)

    def json(self, *arguments: str, place: tuple[str, ...] = HERE, typed: str | None = None) -> Any:
        """What a command that must succeed prints as JSON."""
        return json.loads(self.ok(*arguments, "--json", place=place, typed=typed))

    def ok(self, *arguments: str, place: tuple[str, ...] = HERE, typed: str | None = None) -> str:
        """What a command that must succeed prints."""
        result = self.run(*arguments, place=place, typed=typed)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def on_terminal(self, width: int, *arguments: str) -> list[str]:
        """The lines that a command prints on a terminal of so many columns, without colours."""
        result = self.run(*arguments, COLUMNS=str(width), TTY_COMPATIBLE="1")
        return [_CONTROL.sub("", line).rstrip() for line in result.stdout.splitlines()]
