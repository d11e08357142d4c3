"""One manifest in several files."""

from pathlib import Path

import pytest
from support.manifest_texts import file_problems, manifest, problems, write_files
from understudy.v1.manifest_service_pb2 import ManifestEnvironment
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import read_manifest, read_value

_ROOT = "u.yaml"


def test_a_root_includes_projects(tmp_path: Path) -> None:
    read = manifest(
        tmp_path,
        {
            _ROOT: "include: [more/*.yaml, c.yaml]\nprojects: {a: {name: A}}",
            "more/2.yaml": "projects: {b: {name: B}}",
            "more/1.yaml": "organisation: {name: O}\nprojects: {a: {environments: {e: {strict: true}}}}",
            "more/.hidden.yaml": "not: read",
            "more/not.txt": "not: read",
            "c.yaml": "projects: {a: {environments: {e: {mocks: {ovr_a: {}}}, f: {}}}}",
        },
    )
    assert read.organisation.name == "O"
    assert sorted(read.projects) == ["a", "b"]
    assert read.projects["a"].name == "A"
    assert sorted(read.projects["a"].environments) == ["e", "f"]
    assert read.projects["a"].environments["e"].strict
    assert list(read.projects["a"].environments["e"].mocks) == ["ovr_a"]


def test_projects_and_environments_include_what_they_hold(tmp_path: Path) -> None:
    read = manifest(
        tmp_path,
        {
            _ROOT: "projects:\n  a:\n    include: a/project.yaml\n",
            "a/project.yaml": "name: A\nenvironments: {e: {include: ['mocks/*.yaml']}}",
            "a/mocks/1.yaml": "mocks: {ovr_1: {matcher: GET /1}}",
            "a/mocks/2.yaml": "mocks: {ovr_2: {}}\nscenarios: {scn_a: {mocks: [ovr_1]}}",
        },
    )
    environment = read.projects["a"].environments["e"]
    assert read.projects["a"].name == "A"
    assert sorted(environment.mocks) == ["ovr_1", "ovr_2"]
    assert list(environment.scenarios) == ["scn_a"]


def test_a_pattern_may_reach_into_all_folders_below(tmp_path: Path) -> None:
    files = {_ROOT: "include: 'p/**/*.yaml'", "p/a.yaml": "projects: {a: {}}", "p/q/r/b.yaml": "projects: {b: {}}"}
    assert sorted(manifest(tmp_path, files).projects) == ["a", "b"]


def test_a_file_may_be_included_in_two_places(tmp_path: Path) -> None:
    files = {
        _ROOT: "projects: {a: {environments: {e: {include: m.yaml}, f: {include: ./m.yaml}}}}",
        "m.yaml": "mocks: {ovr_a: {matcher: GET /a}}",
    }
    environments = manifest(tmp_path, files).projects["a"].environments
    assert environments["e"] == environments["f"]
    assert list(environments["e"].mocks) == ["ovr_a"]


def test_a_file_above_the_one_that_includes_it_may_be_included(tmp_path: Path) -> None:
    files = {_ROOT: "include: a/b.yaml", "a/b.yaml": "include: ../c.yaml", "c.yaml": "projects: {c: {}}"}
    assert list(manifest(tmp_path, files).projects) == ["c"]


def test_merges_hold_within_a_file_and_are_joined_with_others(tmp_path: Path) -> None:
    files = {
        _ROOT: "include: b.yaml\nprojects: {a: {environments: {e: {mocks: &m {ovr_a: {}}}, f: {mocks: {<<: *m}}}}}",
        "b.yaml": "projects: {a: {environments: {f: {mocks: {ovr_b: {}}}}}}",
    }
    assert sorted(manifest(tmp_path, files).projects["a"].environments["f"].mocks) == ["ovr_a", "ovr_b"]


def test_an_include_may_be_named_by_a_variable(tmp_path: Path) -> None:
    files = {_ROOT: "include: ${STAGE}.yaml", "qa.yaml": "projects: {qa: {}}"}
    assert list(manifest(tmp_path, files, {"STAGE": "qa"}).projects) == ["qa"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {_ROOT: "include: b.yaml\nprojects: {a: {name: A}}", "b.yaml": "projects:\n  a: {name: B}"},
            "b.yaml:2:7: projects.a.name: is given twice: it stands in u.yaml:2:16 already; leave one of them out",
        ),
        (
            {
                _ROOT: "include: b.yaml\nprojects: {a: {environments: {e: {mocks: {ovr_a: {}}}}}}",
                "b.yaml": "projects: {a: {environments: {e: {mocks: {ovr_a: {name: B}}}}}}",
            },
            "b.yaml:1:43: projects.a.environments.e.mocks.ovr_a: is given twice: it stands in u.yaml:2:43 already; "
            "leave one of them out",
        ),
        (
            {
                _ROOT: "include: [b.yaml, c.yaml]",
                "b.yaml": "organisation: {name: O}",
                "c.yaml": "organisation: {plan: team}",
            },
            "c.yaml:1:1: organisation: is given twice: it stands in b.yaml:1:1 already; leave one of them out",
        ),
        (
            {_ROOT: "include: b.yaml", "b.yaml": "source: x"},
            "b.yaml:1:1: source: can stand in the first file alone; move it there, or leave it out",
        ),
        (
            {_ROOT: "include: b.yaml", "b.yaml": "server: {}"},
            "b.yaml:1:1: server: can stand in the first file alone; move it there, or leave it out",
        ),
        (
            {_ROOT: "include: b.yaml", "b.yaml": "mocks: {}"},
            "b.yaml:1:1: mocks: is not known here; there are: source, organisation, projects, include",
        ),
        (
            {_ROOT: "projects: {a: {environments: {e: {include: b.yaml}}}}", "b.yaml": "projects: {}"},
            "b.yaml:1:1: projects.a.environments.e.projects: is not known here; there are: name, upstream, hosts, "
            "carriers, strict, cors, tunnelUpgrades, stripSessionHeader, redaction, limits, mocks, scenarios, "
            "existing, profile, include",
        ),
        (
            {_ROOT: "include: b.yaml", "b.yaml": ""},
            "b.yaml:1:1: the file holds nothing; see what includes it for what it may hold",
        ),
        (
            {_ROOT: "include: b.yaml", "b.yaml": "- a"},
            "b.yaml:1:1: the file must hold a mapping; see what includes it for what it may hold",
        ),
        ({_ROOT: "include: b.yaml", "b.yaml": "name: 'a"}, "b.yaml:1:7: the quote is never closed; close it"),
        (
            {_ROOT: "include: b.yaml", "b.yaml": "include: c.yaml", "c.yaml": "include: b.yaml"},
            "c.yaml:1:10: include: the files include each other: u.yaml → b.yaml → c.yaml → b.yaml; "
            "leave one of these out, or narrow the pattern",
        ),
        (
            {_ROOT: "include: '*.yaml'"},
            "u.yaml:1:10: include: the files include each other: u.yaml → u.yaml; "
            "leave one of these out, or narrow the pattern",
        ),
        (
            {_ROOT: "include: a/b.yaml", "a/b.yaml": "include: ../u.yaml"},
            "a/b.yaml:1:10: include: the files include each other: u.yaml → a/b.yaml → u.yaml; "
            "leave one of these out, or narrow the pattern",
        ),
        ({_ROOT: "include: no.yaml"}, "u.yaml:1:10: include: there is no file no.yaml; name one that exists"),
        (
            {_ROOT: "include: [no/*.yaml]"},
            "u.yaml:1:11: include: no file matches 'no/*.yaml'; it is looked for in {folder}",
        ),
        ({_ROOT: "include:"}, 'u.yaml:1:9: include: has no value; write "" or leave the line out'),
        (
            {_ROOT: "include: {a: b}"},
            "u.yaml:1:10: include: must be a single value, not a mapping; write it behind the ':'",
        ),
        (
            {_ROOT: "projects: {a: {environments: {e: {mocks: {include: b.yaml}}}}}"},
            "u.yaml:1:52: projects.a.environments.e.mocks.include: must be a mapping, not 'b.yaml'; "
            "write any of: name, matcher, action, state, priority, tags, lifetime, machine, chain, annotations",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_with_its_places(files: dict[str, str], said: str, tmp_path: Path) -> None:
    assert file_problems(tmp_path, files) == [said.replace("{folder}", str(tmp_path))]


def test_problems_of_several_files_are_told_at_once(tmp_path: Path) -> None:
    files = {_ROOT: "include: [b.yaml, c.yaml]\nzzzz: 1", "b.yaml": "projects: {a: {nam: x}}", "c.yaml": "a: 'b"}
    places = [said.split(": ")[0] for said in file_problems(tmp_path, files)]
    assert places == ["u.yaml:2:1", "b.yaml:1:16", "c.yaml:1:4"]


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files = {_ROOT: "include: 'm/*.yaml'", **{f"m/{n}.yaml": "organisation: {}" for n in range(1_001)}}
    assert file_problems(tmp_path, files) == [
        "u.yaml:1:10: include: more than 1000 files match 'm/*.yaml'; narrow the pattern"
    ]


def test_files_that_double_each_other_are_refused(tmp_path: Path) -> None:
    files = {_ROOT: "projects: {p: {environments: {a: {include: 0.yaml}, b: {include: 0.yaml}}}}"}
    # Each level includes the next one twice: a thousand inclusions after ten levels.
    files |= {f"{n}.yaml": f"include: [{n + 1}.yaml, {n + 1}.yaml]" for n in range(30)}
    files["30.yaml"] = "strict: true"
    assert "more than 1000 files are included" in file_problems(tmp_path, files)[0]


def test_a_long_chain_of_files_is_refused(tmp_path: Path) -> None:
    files = {_ROOT: "include: 0.yaml", **{f"{n}.yaml": f"include: {n + 1}.yaml" for n in range(40)}, "40.yaml": "a: b"}
    (said,) = file_problems(tmp_path, files)
    assert said == ("31.yaml:1:10: include: more than 32 files include each other in a row; include them from one file")


def test_files_that_hold_too_much_together_are_refused(tmp_path: Path) -> None:
    environments = ", ".join(f"e{n}: {{include: many.yaml}}" for n in range(9))
    files = {
        _ROOT: f"projects: {{p: {{environments: {{{environments}}}}}}}",
        "many.yaml": f"hosts: [{'a, ' * 400_000}a]",
    }
    said = file_problems(tmp_path, files)
    assert "all files together hold more than 2000000 values" in said[0]


def test_a_text_without_a_folder_includes_nothing() -> None:
    assert problems("include: a.yaml") == ["f.yaml:1:10: include: no files can be named here; write the value in place"]


def test_a_text_with_a_folder_includes_what_is_in_it(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.yaml": "strict: true"})
    assert read_value("include: a.yaml", "f.yaml", ManifestEnvironment, {}, tmp_path).message.strict


def test_after_a_problem_it_is_known_what_was_looked_at(tmp_path: Path) -> None:
    path = write_files(tmp_path, {_ROOT: "include: [a.yaml, no.yaml]", "a.yaml": "zzz: 1"})
    with pytest.raises(Unreadable) as refused:
        read_manifest(path, {})
    assert refused.value.files == (path, tmp_path / "a.yaml", tmp_path / "no.yaml")
