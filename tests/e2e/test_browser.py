"""A page of another origin in a real browser: what CORS asks of the proxy, and what passes through untouched."""

import shutil
from collections.abc import Iterator

import pytest
from support.calls import Call
from support.chromium import Chromium
from support.client_stage import KEY, ClientStage, client_stage

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium on this machine")

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def stage() -> Iterator[ClientStage]:
    with client_stage() as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    started = Chromium()
    yield started
    started.close()


def test_the_proxy_answers_the_preflight_and_the_page_reads_the_mock(browser: Chromium, stage: ClientStage) -> None:
    # The key is a header that no page may send to another origin unasked, so a preflight goes first.
    (answer,) = browser.play([Call("GET", f"{stage.url}/api/cart", {"x-flowmock-session": KEY})])
    assert (answer.status, answer.text()) == (200, '{"cart": "mocked"}')
    assert answer.header("type-of-answer") == "cors"
    assert stage.service.count("/api/cart", "OPTIONS") == 0


def test_a_method_that_needs_leave_is_answered_by_its_mock(browser: Chromium, stage: ClientStage) -> None:
    (answer,) = browser.play([Call("DELETE", f"{stage.url}/api/cart", {"x-flowmock-session": KEY})])
    assert (answer.status, answer.body) == (204, b"")


def test_what_passes_through_keeps_the_words_of_the_service(browser: Chromium, stage: ClientStage) -> None:
    (answer,) = browser.play([Call("POST", f"{stage.url}/api/pay", JSON, b'{"amount": 1}')])
    assert (answer.status, answer.text()) == (200, '{"pay": "real", "bytes": 13}')
    # The service exposes this one to pages; the proxy neither adds nor removes a header of it.
    assert answer.header("x-served-by") == "service"
    received = stage.service.last("/api/pay")
    assert received.header("origin") == browser.origin
    assert stage.service.count("/api/pay", "OPTIONS") == 0


def test_a_key_without_a_mock_for_the_route_reads_the_service(browser: Chromium, stage: ClientStage) -> None:
    (answer,) = browser.play([Call("GET", f"{stage.url}/api/elsewhere", {"x-flowmock-session": KEY})])
    assert (answer.status, answer.text()) == (200, '{"cart": "real"}')
    assert stage.service.last("/api/elsewhere").header("x-flowmock-session") == KEY
