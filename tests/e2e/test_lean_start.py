"""What a start does not import. Time depends on the machine; what takes it does not."""

import importlib.util

import httpx
import pytest
from e2e.conftest import Server, Start

HEAVY = (
    # What takes command lines apart and prints tables.
    "typer",
    "pydantic",
    "rich",
    "understudy_server.cli.nouns",
    "understudy_server.cli.command",
    # Files of YAML.
    "yaml",
    "understudy_server.manifest",
    "understudy_server.app.manifests",
    # The pages of the gateway, and its document.
    "starlette",
    "understudy_gateway.pages",
    "understudy_gateway.transcoding.openapi",
    # Dialects that not everybody speaks.
    "understudy_gateway.dialects.ofrep",
    # What only a few runs ask for.
    "prometheus_client",
    "opentelemetry",
    "understudy_server.bundle",
    "understudy_server.app.explaining",
    "understudy_server.app.health",
    "understudy_server.app.verifying",
    # What is for others than a server.
    "fastapi",
    "jsonschema",
    "sqlite_utils",
    "schemathesis",
    "importlib.metadata",
)


def imported(server: Server) -> set[str]:
    """The modules that a process has named as it imported them, with the packages that they are in."""
    lines = server.output().splitlines()
    names = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    return names | {name.rpartition(".")[0] for name in names}


def test_what_is_listed_can_be_imported() -> None:
    assert [name for name in HEAVY if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize("is_new", [True, False], ids=["a new directory", "one that is there"])
def test_a_server_answers_without_what_it_may_never_need(
    start: Start, monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    if not is_new:
        start().stop()
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    server = start()
    assert httpx.get(f"http://{server.addresses['proxy']}/checkout/staging/api/cart").status_code == 200
    names = imported(server)
    assert "understudy_server.proxy.listener" in names
    assert names.intersection(HEAVY) == set()


def test_what_comes_late_comes_when_it_is_asked_for(start: Start) -> None:
    server = start()
    at = f"http://{server.addresses['rest']}"
    pages = ("/health/live", "/health/ready", "/docs", "/openapi.json", "/docs/assets/favicon.png")
    assert {page: httpx.get(at + page).status_code for page in pages} == dict.fromkeys(pages, 200)
    assert httpx.get(f"{at}/nothing").status_code == 404
