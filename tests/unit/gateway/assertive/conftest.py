"""A door to an environment of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.assertive_door import Door, open_door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as opened:
        yield opened
