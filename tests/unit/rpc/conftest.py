from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.dispatching import World, world_of_two


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    """A world with the project checkout: staging and qa; and the project other: staging."""
    async with world_of_two(tmp_path / "data") as made:
        yield made
