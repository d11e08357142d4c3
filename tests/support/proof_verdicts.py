"""Tells `support.proofs`, when a test has ended, whether the proofs that it reported held: a hook of pytest."""

from collections.abc import Generator

import pytest
from support import proofs

_FAILED = pytest.StashKey[set[str]]()
_REPORTED = pytest.StashKey[frozenset[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A proof of one test holds when that passes, from setting up to tidying up.

    One that a file's fixture reports at its end, for all tests of the file, holds when they all do.
    """
    report = yield
    failed = item.config.stash.setdefault(_FAILED, set())
    if report.failed:
        failed.add(item.nodeid)
    if call.when == "call":
        item.stash[_REPORTED] = proofs.undecided()
    elif call.when == "teardown":
        own = item.stash.get(_REPORTED, frozenset())
        for name in proofs.undecided():
            of = item.nodeid if name in own else item.nodeid.partition("::")[0]
            proofs.judge(name, held=not any(each == of or each.startswith(f"{of}::") for each in failed))
    return report
