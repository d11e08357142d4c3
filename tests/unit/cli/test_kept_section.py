"""``dump`` over an ``understudy.yaml`` that says how the server runs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shell import Shell
from understudy_server.cli.config_file import parse_config
from understudy_server.cli.kept_section import with_section
from understudy_server.cli.settings import load_settings

SERVER = "server:\n  grpc: 127.0.0.1:9001\n  rest_request_seconds: 7\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "understudy.yaml"
    path.write_text(f"# ours\n{SERVER}projects: {{}}\n")
    return path


def test_the_settings_of_the_server_stay(shell: Shell, file: Path) -> None:
    shell.ok("dump", "-o", str(file), "--force")
    settings = load_settings({"config": str(file)}, {})
    assert (settings.grpc.port, settings.rest_request_seconds) == (9001, 7)
    assert "checkout:" in file.read_text()
    assert shell.run("diff", str(file), "--adopt", place=()).exit_code == 0


def test_the_settings_of_the_server_stay_in_json_too(shell: Shell, file: Path) -> None:
    shell.ok("dump", "-o", str(file), "--force", "--json")
    found = json.loads(file.read_text())
    assert found["server"] == {"grpc": "127.0.0.1:9001", "rest_request_seconds": "7"}
    assert "checkout" in found["projects"]


@pytest.mark.parametrize("content", ["server: [grpc]\n", "server: {grpc: 1\n"])
def test_a_file_whose_settings_cannot_be_told_is_not_written_over(shell: Shell, file: Path, content: str) -> None:
    file.write_text(content)
    result = shell.run("dump", "-o", str(file), "--force")
    assert (result.exit_code, file.read_text()) == (2, content)
    assert "`server:`" in result.stderr


def test_a_manifest_of_nothing_is_the_section_alone() -> None:
    assert with_section("# note\n{}\n", {"grpc": "1"}, as_json=False) == "# note\nserver:\n  grpc: '1'\n"
    assert with_section("{}\n", {"grpc": "1"}, as_json=True) == '{"server": {"grpc": "1"}}\n'


def test_without_settings_nothing_is_added() -> None:
    assert with_section("projects: {}\n", {}, as_json=False) == "projects: {}\n"


@given(st.dictionaries(st.sampled_from(["grpc", "plan", "data"]), st.text(st.characters(codec="utf-8"), min_size=1)))
def test_settings_are_read_back_as_they_were(settings: dict[str, str]) -> None:
    text = with_section("projects: {}\n", settings, as_json=False)
    assert parse_config(text.encode(), "a.yaml").texts() == settings
