"""One server for all, over whose Assertive door each test has paths and scopes of its own."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from assertive_mock_api_client import MockApiClient
from support.assertive_server import AssertiveServer, AssertiveUser, running_assertive, text
from support.told_upstream import ToldUpstream, running_told_upstream

PRELOADED = [
    {"stub_id": "first-of-file", "request": {"path": "/preloaded/first"}, "action": text("first")},
    {"id": "second-of-file", "request": {"path": "/preloaded/{name}"}, "action": text("second")},
    {
        "stub_id": "third-of-file",
        "id": "not-looked-at",
        "request": {"path": "/preloaded/third"},
        "action": text("third"),
    },
    {"request": {"path": "/preloaded/without/id"}, "action": text("fourth"), "max_calls": 1},
]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def assertive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AssertiveServer]:
    stubs = tmp_path_factory.mktemp("assertive") / "stubs.json"
    stubs.write_text(json.dumps({"stubs": PRELOADED}))
    with running_assertive("--init-stubs", str(stubs)) as started:
        yield started


@pytest.fixture
def user(assertive: AssertiveServer) -> AssertiveUser:
    """One who uses no scope: what it makes and calls, everybody sees."""
    return assertive.user


@pytest.fixture
def scoped(user: AssertiveUser) -> Iterator[AssertiveUser]:
    """One in a scope of the test's own."""
    with user.in_new_scope() as made:
        yield made


@pytest.fixture
def path() -> str:
    """A path that no other test uses."""
    return f"/place-{next(_numbers)}"


@pytest.fixture
def service() -> Iterator[ToldUpstream]:
    """A service to forward to."""
    with running_told_upstream() as running:
        yield running


@pytest.fixture
def client(assertive: AssertiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MockApiClient:
    """The product's own client. Whom the system trusts is not read for each of its calls: that takes longer."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return assertive.client()
