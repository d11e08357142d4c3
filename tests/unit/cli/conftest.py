import asyncio
import shutil
from pathlib import Path

import pytest
from support.shell import Shell
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.sample import make_sample

UPSTREAM = "http://127.0.0.1:9/understudy-sample"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that holds the sample, to be copied."""
    folder = tmp_path_factory.mktemp("sample") / "data"

    async def fill() -> None:
        async with open_rooms(folder, "normal") as rooms:
            await make_sample(rooms, UPSTREAM)

    asyncio.run(fill())
    return folder


@pytest.fixture
def data(sample: Path, tmp_path: Path) -> Path:
    """A data directory that holds the sample and that no process holds."""
    return Path(shutil.copytree(sample, tmp_path / "data"))


@pytest.fixture
def shell(data: Path) -> Shell:
    """Runs commands on that directory."""
    return Shell(data)
