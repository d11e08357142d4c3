"""The server against its own OpenAPI document."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from support.furniture import furnished
from support.server import Server
from understudy.options.v1.options_pb2 import ROLE_ADMIN


@pytest.mark.timeout(300)
def test_no_call_made_from_the_document_breaks_the_server(server: Server) -> None:
    furnished(server)
    key = server.make_key(ROLE_ADMIN)
    schema = schemathesis.openapi.from_url(f"http://{server.rest}/openapi.json")
    failures: list[str] = []

    def call(case: schemathesis.Case) -> None:
        response = case.call(headers={"authorization": f"Bearer {key.text}"})
        if response.status_code >= 500:
            failures.append(f"{case.method} {case.formatted_path} -> {response.status_code} {response.text}")
        if response.status_code >= 400:
            envelope = response.json()
            assert set(envelope) >= {"error", "code"}, envelope

    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/api/v1/keys" and operation.method == "post":
            # Keys that it makes would use up the organisation's 25.
            continue
        run = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        import hypothesis

        run(hypothesis.given(case=operation.as_strategy())(call))()
    server.revoke(key)
    assert failures == []


def test_the_document_and_its_page_are_served_without_the_internet(server: Server) -> None:
    assert httpx.get(f"http://{server.rest}/openapi.json").json()["openapi"].startswith("3.1")
    page = httpx.get(f"http://{server.rest}/docs").text
    assert "http://" not in page.replace(f"http://{server.rest}", "")
    assert "https://" not in page
