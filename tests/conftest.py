import gc
import os
import signal
from collections.abc import Iterator
from itertools import count

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


_TESTS_BETWEEN_FREEZES = 500
_done = count(1)


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Whoever starts the tests in the background has Ctrl-C ignored, and so would all that they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not _PROVES:
        # Imported here, with its asserts rewritten and the path to it known.
        from support.memory_folder import keep_files_in_memory

        keep_files_in_memory()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, in so many words, that requests may cost anything here: a skipped test is a dot among thousands."""
    from guard.verdicts import UNGUARDED

    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = {str(each[2]).removeprefix("Skipped: ") for each in skipped if isinstance(each, tuple)}
    for reason in sorted(each for each in reasons if each.startswith(UNGUARDED)):
        terminalreporter.write_line(f"guard: {reason}", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """All that is collected stays: the collector is not to go through it again and again, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_logfinish() -> None:
    """What stays of tests that are done stays to the end, too. Gone through each time, it makes a collection take half
    a second, and there are hundreds: by themselves, and where a test asks for one.
    """
    if next(_done) % _TESTS_BETWEEN_FREEZES == 0:
        gc.collect()
        gc.freeze()
