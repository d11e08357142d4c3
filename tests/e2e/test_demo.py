"""``understudy demo``: a transcript that is true."""

from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import understudy
from support.page_blocks import Block, read_page
from support.page_outputs import difference
from understudy_server.cli import demo
from understudy_server.cli.demo_stage import Stage, check
from understudy_server.cli.failures import CommandFailed

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_demo_plays_to_its_end_and_prints_what_the_readme_shows() -> None:
    result = understudy("demo")
    assert result.returncode == 0, result.stdout + result.stderr
    for number, (title, _) in enumerate(demo.STEPS, start=1):
        assert f"{number}. {title}\n" in result.stdout
    transcript = next(block for block in read_page(README) if isinstance(block, Block) and block.language == "console")
    assert difference(["...", *transcript.text.splitlines(), "..."], result.stdout) == ""


async def test_a_step_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_stage: Stage) -> None:
        check("two and two make five", 2 + 2, 5)

    steps: Any = (("Something that cannot work.", fails),)
    monkeypatch.setattr(demo, "STEPS", steps)
    with pytest.raises(CommandFailed) as caught:
        await demo.play(lambda _line: None)
    assert caught.value.exit_code == 1
    assert "step 1 failed (Something that cannot work.): two and two make five: expected 5" in caught.value.message
