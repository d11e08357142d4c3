"""A reader who does what the pages say, word by word, gets what they promise."""

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.page_blocks import Block, read_page
from support.page_run import run_page
from typer.main import get_command
from understudy_server.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_SHORTEST_REASON = 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_says_works(name: str) -> None:
    # Not in pytest's own folder: its path may be too long for the socket that a server makes in its data directory.
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        run_page(ROOT / name, Path(folder), {"examples": ROOT / "examples"})


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_links_to_is_there(name: str) -> None:
    page = ROOT / name
    text = re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8"))
    links = [link for link in _LINK.findall(text) if "://" not in link]
    assert [link for link in links if not _leads_somewhere(page, link)] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_run_says_why(name: str) -> None:
    left_out = [part for part in read_page(ROOT / name) if isinstance(part, Block) and "not run" in part.notes]
    assert [block for block in left_out if len(block.notes["not run"]) < _SHORTEST_REASON] == []


@pytest.mark.parametrize("name", NAMES)
def test_commands_that_a_page_names_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [words for words in re.findall(r"`(understudy [^`\n]+)`", text) if not _is_command(words.split()[1:])] == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(index.read_text("utf-8"))}
    assert [
        name for name, page in zip(NAMES, PAGES, strict=True) if "docs" in name and page not in {*linked, index}
    ] == []


def _is_command(words: list[str]) -> bool:
    """Tell whether a command line names a command, and only options that it has."""
    command: Any = _understudy()
    while words and not words[0].startswith("-") and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        return False
    options = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    return {word for word in words if re.match("--?[a-z]", word)} <= options | {"--help"}


@cache
def _understudy() -> Any:
    return get_command(app)


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not anchor or target.suffix != ".md":
        return target.exists()
    return target.exists() and anchor in _anchors(target)


@cache
def _anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = [re.sub(r"[`*]", "", each) for each in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
