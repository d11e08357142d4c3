import asyncio
from pathlib import Path

import pytest
from support.shell import Shell
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.sample import make_sample

UPSTREAM = "http://127.0.0.1:9/understudy-sample"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that holds the sample and that no process holds."""
    folder = tmp_path / "data"

    async def fill() -> None:
        async with open_rooms(folder, "normal") as rooms:
            await make_sample(rooms, UPSTREAM)

    asyncio.run(fill())
    return folder


@pytest.fixture
def shell(data: Path) -> Shell:
    """Runs commands on that directory."""
    return Shell(data)
