"""What the documents say is so."""

import re
from pathlib import Path

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command
from understudy_server.cli.failures import ExitCode
from understudy_server.cli.main import app
from understudy_server.cli.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = [
    path.relative_to(ROOT) for folder in ("server", "gateway", "clients") for path in (ROOT / folder).rglob("*.py")
]


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"])
def test_every_file_that_a_document_names_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"`([\w./]+\.(?:py|proto|txt|json))`", text)
    known = [str(path) for path in SOURCES]
    assert [
        each
        for each in named
        if not (ROOT / each).exists()
        and not (ROOT / "proto/understudy/v1" / each).exists()
        and not any(path.endswith(f"/{each}") for path in known)
    ] == ["/openapi.json"] * named.count("/openapi.json")


def test_the_settings_of_the_readme_can_be_used(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(server:\n.*?)```", README, re.DOTALL)
    assert block
    config = tmp_path / "understudy.yaml"
    config.write_text(block[1])
    settings = load_settings({"config": str(config)}, {})
    assert settings == load_settings({}, {}), "the readme shows the defaults"
    assert set(yaml.safe_load(block[1])) == {"server"}


def test_the_exit_codes_of_the_readme_are_those_of_the_commands() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d) \|", README, re.MULTILINE)] == [int(code) for code in ExitCode]


def test_every_command_has_help() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    assert [name for name, command in root.commands.items() if not command.help] == []


def test_the_makefile_explains_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert [name for name in phony[1].split() if not re.search(rf"^{name}:.*## ", makefile, re.MULTILINE)] == []


def test_every_finding_is_explained_where_callers_read_of_it() -> None:
    """In the code a finding is a constant that says so in the line below it."""
    found = re.compile(r'^[A-Z_]+ = "([a-z_]+)"\n"""The finding that ', re.MULTILINE)
    codes = {code for path in SOURCES for code in found.findall((ROOT / path).read_text(encoding="utf-8"))}
    contract = (ROOT / "proto/understudy/v1/log_service.proto").read_text(encoding="utf-8")
    assert codes, "the constants are written otherwise now"
    assert {code for code in codes if f"`{code}`" not in contract} == set()
