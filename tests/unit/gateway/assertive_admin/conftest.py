"""The pages in a browser: one tab for all tests, and a stage for each."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from support.assertive_admin_stage import Stage, admin_stage
from support.devtools import Browser, Page

# Intervals run when a test says so, with tick(); how long they are meant to be is kept.
_CLOCK = """
window.intervals = [];
window.setInterval = (run, ms) => intervals.push({run, ms});
window.tick = () => intervals.forEach(({run}) => run());
"""

OpenPage = Callable[[str], Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    started = Browser()
    yield started
    started.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    with admin_stage() as made:
        yield made


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Page:
    """The tab of all tests: a new one takes longer than most of them."""
    return browser.open("about:blank", before=_CLOCK)


@pytest.fixture
def open_page(tab: Page, stage: Stage) -> Iterator[OpenPage]:
    """Opens a path of the stage. No page may have a script that fails or break its policy."""

    def open_one(path: str) -> Page:
        tab.resize(1280)
        tab.go(stage.url + path)
        return tab

    yield open_one
    # What a stage refuses is told as not loaded; assets are looked for elsewhere.
    assert [each for each in tab.complaints() if not each.startswith("Failed to load resource")] == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("chromium") is None:
        skip = pytest.mark.skip(reason="there is no chromium on this machine")
        for item in items:
            if "browser" in getattr(item, "fixturenames", ()):
                item.add_marker(skip)
