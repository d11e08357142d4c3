"""Versions, batches, tags and profiles, as typed."""

import pytest
from support.shell import Shell


def test_a_mocks_versions_are_listed_and_one_is_restored(shell: Shell) -> None:
    before = shell.json("mock", "get", "ovr_payDeclined")
    shell.ok("mock", "edit", "ovr_payDeclined", "--status", "409")

    table = shell.ok("mock", "versions", "ovr_payDeclined").splitlines()
    assert [line.split()[0] for line in table] == ["VERSION", *map(str, range(before["revision"] + 1, 0, -1))]
    after = shell.json("mock", "restore", "ovr_payDeclined", str(before["revision"]))
    assert (after["action"], after["state"], after["revision"]) == (
        before["action"],
        "published",
        before["revision"] + 2,
    )


def test_a_removed_mock_is_made_again_as_a_draft(shell: Shell) -> None:
    revision = shell.json("mock", "get", "ovr_payDeclined")["revision"]
    shell.ok("mock", "delete", "ovr_payDeclined")
    assert shell.json("mock", "versions", "ovr_payDeclined")["versions"][0]["revision"] == revision
    assert shell.json("mock", "restore", "ovr_payDeclined", str(revision))["state"] == "draft"


def test_a_version_that_is_not_there_is_not_found(shell: Shell) -> None:
    assert shell.run("mock", "restore", "ovr_payDeclined", "99").exit_code == 3
    assert shell.run("mock", "restore", "ovr_payDeclined", "x").exit_code == 2
    assert shell.run("mock", "versions", "ovr_none").exit_code == 3


def test_a_scenarios_versions_are_listed_and_one_is_restored(shell: Shell) -> None:
    before = shell.json("scenario", "get", "scn_paymentDeclined")
    shell.ok("scenario", "edit", "scn_paymentDeclined", "--mock", "", "--tag", "x")
    assert shell.json("scenario", "get", "scn_paymentDeclined")["tags"] == ["x"]
    assert len(shell.ok("scenario", "versions", "scn_paymentDeclined").splitlines()) == before["revision"] + 2
    after = shell.json("scenario", "restore", "scn_paymentDeclined", str(before["revision"]))
    assert (after["mocks"], after["tags"]) == (before["mocks"], [])


BATCH = """\
operations:
  - create: {mock: {id: ovr_new, name: New, tags: [smoke]}}
  - publish: {mockId: ovr_new}
  - delete: {mockId: ovr_payDeclined}
"""


def test_a_batch_is_done_whole(shell: Shell) -> None:
    told = shell.ok("mock", "batch", "-", typed=BATCH)
    assert told == "3 operations done: ovr_new ovr_new ovr_payDeclined\n"
    assert shell.json("mock", "get", "ovr_new")["state"] == "published"
    assert shell.run("mock", "get", "ovr_payDeclined").exit_code == 3


def test_of_a_batch_that_is_refused_nothing_stays_and_the_place_is_told(shell: Shell) -> None:
    result = shell.run("mock", "batch", "-", typed=BATCH.replace("ovr_payDeclined", "ovr_none"))
    assert (result.exit_code, "the standard input:4:" in result.stderr) == (3, True)
    assert shell.run("mock", "get", "ovr_new").exit_code == 3


def test_a_batch_of_scenarios_is_done_whole(shell: Shell) -> None:
    form = "operations: [{create: {scenario: {id: scn_new, name: New}}}, {delete: {scenarioId: scn_declined}}]"
    assert shell.ok("scenario", "batch", "-", typed=form) == "2 operations done: scn_new scn_declined\n"


def test_mocks_are_found_by_all_of_their_tags(shell: Shell) -> None:
    shell.ok("mock", "create", "--id", "ovr_a", "--path", "/a", "--tag", "x", "--tag", "y", "--priority", "5")
    shell.ok("mock", "create", "--id", "ovr_b", "--path", "/b", "--tag", "x")

    def ids(*filters: str) -> list[str]:
        return [each["id"] for each in shell.json("mock", "list", *filters)["mocks"]]

    assert (ids("--tag", "x"), ids("--tag", "y", "--tag", "x"), ids("--tag", "z")) == (
        ["ovr_a", "ovr_b"],
        ["ovr_a"],
        [],
    )
    edited = shell.json("mock", "edit", "ovr_a", "--tag", "")
    assert (edited["tags"], edited["priority"]) == ([], 5)
    assert shell.json("mock", "edit", "ovr_a", "--priority", "0")["priority"] == 0


def test_what_get_prints_of_a_mock_with_everything_can_be_given_back(shell: Shell) -> None:
    form = (
        "name: All\npriority: -5\ntags: [a, b]\nchain: c\nlifetime: {usesMax: 2, usesPer: chain, ttlMs: 60000}\n"
        "machine: {machine: m, next: b}\n"
    )
    made = shell.json("mock", "create", "--id", "ovr_all", "--from", "-", typed=form)
    again = shell.ok("mock", "get", "ovr_all", "--yaml")
    assert shell.json("mock", "edit", "ovr_all", "--from", "-", typed=again) == made
    cleared = shell.json("mock", "edit", "ovr_all", "--from", "-", typed="name: All\n")
    assert (cleared["priority"], cleared["tags"], cleared["chain"]) == (0, [], "")
    assert {"lifetime", "machine", "expiresAt"}.isdisjoint(cleared)


@pytest.mark.parametrize(("flags", "profile"), [((), "flowmock"), (("--profile", "assertive"), "assertive")])
def test_an_environment_is_made_with_a_profile(shell: Shell, flags: tuple[str, ...], profile: str) -> None:
    made = shell.json("environment", "create", "qa", *flags, place=("--project", "checkout"))
    assert made["profile"] == profile


def test_a_profile_that_there_is_not_is_a_mistake_of_use(shell: Shell) -> None:
    place = ("--project", "checkout")
    assert shell.run("environment", "create", "qa", "--profile", "other", place=place).exit_code == 2
