from pathlib import Path

from understudy.v1.manifest_service_pb2 import Manifest
from understudy_server.cli.checking import Size, problems_of, size_of
from understudy_server.manifest.limits import PROBLEMS_MAX
from understudy_server.manifest.reading import Read, read_manifest, read_value


def read(text: str) -> Read[Manifest]:
    return read_value(text, "a.yaml", Manifest, {})


def told(text: str, *, alone: bool = False) -> list[str]:
    return [str(problem) for problem in problems_of(read(text), alone=alone)]


IN_STAGING = "source: a\nprojects: {shop: {environments: {staging: %s}}}\n"


def test_a_manifest_without_fault_has_no_problems() -> None:
    assert told(IN_STAGING % "{upstream: https://x, mocks: {ovr_a: {matcher: GET /}}}", alone=True) == []


def test_a_source_that_is_missing_is_told_at_the_beginning() -> None:
    (said,) = told("projects: {}")
    assert said == "a.yaml:1:1: source: is required; write `source: NAME` into it, or add --source NAME"


def test_a_name_of_the_wrong_form_is_told_with_the_form() -> None:
    (problem,) = told(IN_STAGING % "{mocks: {ovr-a: {}}}")
    assert "mocks.ovr-a: must be ovr_ and then 1 to 64 letters, digits, _ or -" in problem


def test_an_element_is_told_with_an_example_of_one() -> None:
    (problem,) = told(IN_STAGING % "{hosts: [a.example.com, B]}")
    assert "hosts[1]: must be a host name in lower case without a port" in problem
    assert problem.endswith('; write it like "shop.example.com"')


def test_of_scenarios_only_a_manifest_that_stands_alone_must_hold_all_mocks() -> None:
    text = IN_STAGING % "{scenarios: {scn_a: {mocks: [ovr_a]}}}"
    assert told(text) == []
    assert len(told(text, alone=True)) == 1


def test_problems_of_all_files_are_told_the_first_file_first(tmp_path: Path) -> None:
    first, included = tmp_path / "understudy.yaml", tmp_path / "a.yaml"
    first.write_text("include: a.yaml\nprojects: {shop: {environments: {qa: {upstream: x}}}}\n")
    included.write_text("projects: {till: {environments: {qa: {upstream: y}}}}\n")
    found = problems_of(read_manifest(first, {}))
    assert [Path(problem.mark.file).name for problem in found] == ["understudy.yaml", "a.yaml"]


def test_not_more_problems_are_told_than_can_be_read() -> None:
    mocks = ", ".join(f"ovr_{number}: {{action: {{respond: {{status: 999}}}}}}" for number in range(PROBLEMS_MAX + 5))
    assert len(told(IN_STAGING % f"{{mocks: {{{mocks}}}}}")) == PROBLEMS_MAX


def test_local_mocks_are_counted_with_the_others() -> None:
    content = "{mocks: {ovr_a: {}}, scenarios: {scn_a: {localMocks: {ovr_b: {}, ovr_c: {}}}}}"
    assert size_of(read(IN_STAGING % content).message) == Size(projects=1, environments=1, mocks=3, scenarios=1)
