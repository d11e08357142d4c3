"""``server:`` in ``understudy.yaml``, checked without a server."""

from pathlib import Path

import pytest
from understudy_server.cli.checking_settings import problems_in_file, problems_in_text


def told(text: str) -> list[str]:
    return [str(problem) for problem in problems_in_text(text, "a.yaml")]


def test_settings_that_serve_takes_have_no_problem() -> None:
    assert told("server: {grpc: 127.0.0.1:1, plan: team}\nprojects: {}\n") == []


def test_a_manifest_without_settings_has_no_problem_in_them() -> None:
    assert told("projects: {}\n") == []


def test_a_setting_that_is_none_is_told_with_the_nearest_one() -> None:
    assert told("server:\n  grpcc: 1\n") == ["a.yaml:2:10: server.grpcc: is not known here; did you mean grpc?"]


def test_a_value_that_serve_refuses_is_told_with_what_is_allowed() -> None:
    (problem,) = told("server: {api_rate: often}")
    assert problem == "a.yaml:1:20: server.api_rate: 'often' is not a rate: give calls/seconds, such as 120/60"


def test_all_settings_that_are_wrong_are_told() -> None:
    assert len(told("server: {plan: x, journal: y, nothing: z}")) == 3


def test_two_listeners_on_one_address_are_told() -> None:
    (problem,) = told("server: {grpc: 9000, rest: 9000}")
    assert "--grpc and --rest are both 127.0.0.1:9000" in problem


@pytest.mark.parametrize("name", ["grpc_tls", "proxy_upstream_ca"])
def test_files_on_the_machine_of_the_server_are_not_looked_for(name: str) -> None:
    assert told(f"server: {{{name}: /nonexistent/cert.pem}}") == []


@pytest.mark.parametrize("section", ["[grpc]", "{grpc: {host: x}}", "text"])
def test_a_section_of_the_wrong_form_is_told_with_its_place(section: str) -> None:
    (problem,) = told(f"server: {section}")
    assert problem.startswith("a.yaml:1:")
    assert "server" in problem


def test_a_file_is_read_as_serve_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "understudy.yaml"
    path.write_text("server: {grpcc: 1}")
    (problem,) = problems_in_file(path)
    assert (problem.mark.file, problem.field) == (str(path), "server.grpcc")
