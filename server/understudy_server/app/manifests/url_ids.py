"""Names for URLs of the scenarios that a manifest declares."""

from collections.abc import Iterable, Iterator, Mapping

from understudy.v1.manifest_service_pb2 import ManifestScenario
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.scenarios import url_ids
from understudy_server.core.errors import Conflict, Fault, Refusal


def give_url_ids(
    declared: Mapping[str, ManifestScenario],
    kept: Mapping[str, Scenario],
    staying: Iterable[Scenario],
    path: str,
) -> tuple[dict[str, str], list[Refusal]]:
    """The name of each scenario by its id, and what refuses names that are given.

    What is given counts. A scenario without keeps the name that it has as long as its name for people makes it, so
    that links to it stay; else it gets the first that is free, in the order of ids. ``staying`` are scenarios
    that the manifest leaves alone; ``path`` is that of the environment.
    """
    taken = {each.url_id: each.id for each in staying}
    given: dict[str, str] = {}
    refusals: list[Refusal] = []
    for scenario_id in sorted(declared):
        url_id = declared[scenario_id].url_id
        if url_id and url_id in taken:
            fault = Fault(f"{path}.scenarios[{scenario_id!r}].url_id", "unique", given=url_id)
            message = f"scenario {taken[url_id]!r}, which was made elsewhere, has the url_id {url_id!r} already"
            refusals.append(Conflict("already_exists", message, fault))
        elif url_id:
            given[scenario_id] = url_id
    used = {*taken, *given.values()}
    waiting = [each for each in sorted(declared) if not declared[each].url_id]
    for scenario_id in waiting:
        before = kept[scenario_id].url_id if scenario_id in kept else ""
        if before not in used and _fits(before, _name(scenario_id, declared)):
            given[scenario_id] = before
            used.add(before)
    candidates: dict[str, Iterator[str]] = {}
    for scenario_id in waiting:
        if scenario_id not in given:
            name = _name(scenario_id, declared)
            # What was found to be taken once stays taken: a thousand scenarios of one name are not counted anew each.
            made = next(each for each in candidates.setdefault(name, url_ids(name)) if each not in used)
            given[scenario_id] = made
            used.add(made)
    return given, refusals


def _name(scenario_id: str, declared: Mapping[str, ManifestScenario]) -> str:
    return declared[scenario_id].name or scenario_id


def _fits(url_id: str, name: str) -> bool:
    """Tell whether a name for people makes a name for URLs, perhaps a numbered one."""
    stem = next(url_ids(name))
    number = url_id.removeprefix(f"{stem}-")
    return url_id == stem or (number != url_id and number.isdecimal() and number[0] != "0" and number != "1")
