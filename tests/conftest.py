import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# What the tests share asserts as they do; its failures are to be as readable. It must be named before it is imported.
pytest.register_assert_rewrite("support")

# A test of a property looks at so many examples in every run, and at four times as many in `make prove`; where it says
# how many, at those. How long one takes says nothing on a machine that does something else, too.
settings.register_profile("every run", max_examples=25, deadline=None)
settings.register_profile("proof", max_examples=100, deadline=None)
_PROVES = os.environ.get("UNDERSTUDY_PROVE") == "1"
settings.load_profile("proof" if _PROVES else "every run")


def pytest_configure() -> None:
    if not _PROVES:
        # Imported here, with its asserts rewritten and the path to it known.
        from support.memory_folder import keep_files_in_memory

        keep_files_in_memory()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """All that is collected stays: the collector is not to go through it again and again, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
