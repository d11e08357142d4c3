"""The page of metrics as an application."""

from pathlib import Path

import pytest
from support.rest import client
from support.telemetry import watched


async def test_the_page_is_served_to_whoever_reads_it(tmp_path: Path) -> None:
    async with watched(tmp_path) as here, client(here.page) as http:
        answer, head = await http.get("/metrics"), await http.head("/metrics")
    assert (answer.status_code, head.status_code) == (200, 200)
    assert answer.headers["content-type"].startswith("text/plain")
    assert "understudy_client_connections 3.0\n" in answer.text
    assert (head.text, int(head.headers["content-length"]) > 0) == ("", True)


@pytest.mark.parametrize(("method", "path"), [("POST", "/metrics"), ("GET", "/"), ("GET", "/metrics/x")])
async def test_whatever_else_is_asked_is_for_another_to_answer(tmp_path: Path, method: str, path: str) -> None:
    async with watched(tmp_path) as here, client(here.page) as http:
        assert (await http.request(method, path)).status_code == 404
    assert here.asked_otherwise == [path]


async def test_calls_are_on_the_page(tmp_path: Path) -> None:
    async with watched(tmp_path) as here, client(here.page) as http:
        here.calls.observe("/understudy.v1.SessionService/GetSession", {}).end(5)
        text = (await http.get("/metrics")).text
    assert 'understudy_api_calls_total{code="NOT_FOUND",method="SessionService/GetSession"} 1.0\n' in text
    assert "understudy_api_call_duration_seconds_count 1.0\n" in text
