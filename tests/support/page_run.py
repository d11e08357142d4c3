"""Does what a page of the documentation tells its reader to do, in an empty folder, and says where it does not work."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import yaml
from support.page_blocks import Block, Command, Step, read_commands, read_page
from support.page_outputs import difference
from support.page_ports import Ports
from support.page_shell import Shell
from support.shell import invoke

_DOORS = {"GRPC": 50051, "REST": 8000, "PROXY": 8080}
_ROOT_KEYS = {"source", "organisation", "projects", "include", "server"}
_KEY = "fmk_..."
_WAIT_SECONDS_MAX = 20


class PageFailed(AssertionError):
    """A page whose reader would be stuck. The message names the line."""


def run_page(path: Path, folder: Path, files: Mapping[str, Path]) -> None:
    """Follow a page in a folder, in which ``files`` lie already. Raises PageFailed."""
    for name, source in files.items():
        (folder / name).symlink_to(source)
    ports = Ports()
    notes = folder / ".steps"
    notes.mkdir()
    with Shell(folder, _environ(folder, ports), notes) as shell:
        _Reader(path, folder, ports, shell).read()


def _environ(folder: Path, ports: Ports) -> dict[str, str]:
    """What a reader's terminal has, and where a server listens in place of the usual ports."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "PYTEST"))}
    doors = {f"UNDERSTUDY_{name}": f"127.0.0.1:{ports.free(port)}" for name, port in _DOORS.items()}
    found = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}"
    return (
        environ
        | doors
        | {"PATH": found, "HOME": str(folder), "NO_COLOR": "1", "TERM": "dumb", "SHOP_PORT": str(ports.free(9000))}
    )


class _Reader:
    """Goes through one page."""

    def __init__(self, path: Path, folder: Path, ports: Ports, shell: Shell) -> None:
        self._path, self._folder, self._ports, self._shell = path, folder, ports, shell
        self._running: list[Path] = []
        self._key = ""
        self._line = 0

    def read(self) -> None:
        for part in read_page(self._path):
            self._line = part.line
            if isinstance(part, Step):
                self._step(part)
            elif "not run" not in part.notes:
                self._block(part)

    def _step(self, step: Step) -> None:
        if step.word == "server":
            self._start("understudy serve", _DOORS.values())
        elif step.word == "run":
            self._succeed(step.text)
        else:
            deadline = time.monotonic() + _WAIT_SECONDS_MAX
            # What another process is about to do can only be looked for.
            while (result := self._shell.run(self._text(step.text))).code:
                if time.monotonic() > deadline:
                    self._fail(f"`{step.text}` did not work in time:\n{result.output}")
                time.sleep(0.05)

    def _block(self, block: Block) -> None:
        kinds: dict[str, Callable[[Block], None]] = {
            "sh": self._sh,
            "console": self._console,
            "yaml": self._yaml,
            "json": self._json,
            "python": self._python,
        }
        if block.title:
            self._write(block)
        if "wrong" in block.notes or (block.title and block.language == "python"):
            return
        if block.language in kinds:
            kinds[block.language](block)
        elif block.language != "text":
            self._fail(f"it is not known what to do with a block of the language {block.language!r}")

    def _write(self, block: Block) -> None:
        target = self._here() / block.title
        target.parent.mkdir(parents=True, exist_ok=True)
        text = self._text(block.text)
        target.write_text(target.read_text() + text if block.appends else text)

    def _here(self) -> Path:
        """Where the shell is now."""
        return Path(self._shell.run("pwd").output.strip())

    def _sh(self, block: Block) -> None:
        if "stays" in block.notes:
            self._start(block.text, [int(word) for word in block.notes["stays"].split() if word.isdecimal()])
        else:
            self._succeed(block.text)

    def _console(self, block: Block) -> None:
        commands = read_commands(block.text)
        for number, command in enumerate(commands):
            result = self._shell.run(self._text(command.text))
            output = self._ports.to_usual(result.output)
            asks = number + 1 < len(commands) and commands[number + 1] == Command("echo $?", (str(result.code),))
            if result.code and not asks:
                self._fail(f"`{command.text}` ended with {result.code}:\n{output}")
            if wrong := difference(command.output, output):
                self._fail(f"`{command.text}`: {wrong}")

    def _yaml(self, block: Block) -> None:
        if block.title:
            path = self._here() / block.title
        else:
            path = self._folder / f".steps/block-{block.line}.yaml"
            path.write_text(_within(block.notes.get("inside", ""), self._text(block.text)))
        content = yaml.safe_load(path.read_text())
        if not isinstance(content, dict) or not content.keys() <= _ROOT_KEYS:
            # A part of a manifest is checked with the file that includes it.
            if not block.title:
                self._fail("this is no whole manifest; note where it belongs: `<!-- test: inside ... -->`")
            return
        result = invoke(["check", str(path)])
        if result.exit_code:
            self._fail(f"`understudy check` refuses it:\n{result.output}")

    def _json(self, block: Block) -> None:
        json.loads(block.text)

    def _python(self, block: Block) -> None:
        path = self._folder / f".steps/block-{block.line}.py"
        path.write_text(self._text(block.text))
        self._succeed(f"python {path}")

    def _start(self, text: str, ports: object) -> None:
        self._running.append(self._shell.start(self._text(text)))
        for port in ports:  # type: ignore[attr-defined]
            try:
                self._ports.wait(port)
            except TimeoutError as error:
                self._fail(str(error))

    def _succeed(self, text: str) -> None:
        result = self._shell.run(self._text(text), until_one_fails=True)
        if result.code:
            self._fail(f"`{text.strip()}` ended with {result.code}:\n{self._ports.to_usual(result.output)}")

    def _text(self, text: str) -> str:
        """A text of the page as it is used here: with ports that are free, and a key that works."""
        if _KEY in text:
            self._key = self._key or self._make_key()
        return self._ports.to_free(text).replace(_KEY, self._key)

    def _make_key(self) -> str:
        printed = self._shell.run("understudy key create --role admin --data understudy-data").output
        found = re.search(r"fmk_\S+", printed)
        if found is None:
            self._fail(f"no key could be made:\n{printed}")
        return found[0]

    def _fail(self, message: str) -> NoReturn:
        printed = "".join(f"\n{each.read_text(errors='replace')}" for each in self._running)
        aside = f"\nWhat went on beside printed:{self._ports.to_usual(printed)}" if printed.strip() else ""
        raise PageFailed(f"{self._path}:{self._line}: {message}{aside}")


def _within(place: str, text: str) -> str:
    """A part of a manifest at its place: each name of the path is a key, with what follows below it."""
    names = place.split(".") if place else []
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(names)]
    return "\n".join([*lines, *("  " * len(names) + line for line in text.splitlines())]) + "\n"
