"""What every store must do, whatever it is made of: inherit from ``StoreSuite`` and say how to open one.

``open_store(folder)`` opens the store that belongs to a folder: the same folder again, after ``close``, is the same
store.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.store_changes import VersionsAndChanges
from support.store_counts import HowMuch
from support.store_files import FilesAndOwnMocks
from support.store_flags import FlagsAndTheirSessions
from support.store_lists import Lists
from support.store_managed import Managed
from support.store_steps import FullStore, Opener, furnish
from support.store_units import UnitsOfWork
from support.store_versions import Past


class StoreSuite(
    UnitsOfWork, VersionsAndChanges, Managed, HowMuch, Lists, FilesAndOwnMocks, FlagsAndTheirSessions, Past
):
    """The behaviours. Each is given a ``store`` that holds one empty environment, or the opener itself."""

    @pytest.fixture
    def open_store(self) -> Opener:
        raise NotImplementedError

    @pytest.fixture
    async def store(self, open_store: Opener, tmp_path: Path) -> AsyncIterator[FullStore]:
        store = await open_store(tmp_path / "data")
        await furnish(store)
        yield store
        await store.close()
