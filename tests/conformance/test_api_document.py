"""The server against its own OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from support.furniture import furnished
from support.server import Server, running_server
from understudy.options.v1.options_pb2 import ROLE_ADMIN

EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that no other test meets: any call may be made, and some change all of it, such as its plan."""
    with running_server() as started:
        yield started


@pytest.mark.timeout(300)
def test_no_call_made_from_the_document_breaks_the_server(own_server: Server) -> None:
    furnished(own_server)
    key = own_server.make_key(ROLE_ADMIN)
    schema = schemathesis.openapi.from_url(f"http://{own_server.rest}/openapi.json")
    failures: list[str] = []

    def call(case: Any) -> None:
        response = case.call(headers={"authorization": f"Bearer {key.text}"})
        if response.status_code >= 500:
            failures.append(f"{case.method} {case.formatted_path} -> {response.status_code} {response.text}")
        if response.status_code >= 400:
            assert set(response.json()) >= {"error", "code"}, response.text

    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # a document that is in error ends the test here
        EXAMPLES(given(case=operation.as_strategy())(call))()
    assert failures == []


def test_the_document_and_its_page_are_served_without_the_internet(server: Server) -> None:
    assert httpx.get(f"http://{server.rest}/openapi.json").json()["openapi"].startswith("3.1")
    page = httpx.get(f"http://{server.rest}/docs").text
    assert "http://" not in page.replace(f"http://{server.rest}", "")
    assert "https://" not in page
