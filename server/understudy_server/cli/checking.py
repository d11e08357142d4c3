"""Checking a manifest without a server: by the limits of every field, then for contradictions."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from understudy.v1.manifest_service_pb2 import Manifest
from understudy_gateway.transcoding import comments, contract

from understudy_server.app.manifests import checking as manifest_checking
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.manifest.limits import PROBLEMS_MAX
from understudy_server.manifest.problems import Problem, Unreadable
from understudy_server.manifest.reading import Read
from understudy_server.rpc import fields

_ADVICE = {
    "max": "write at most {limit}",
    "min": "write at least {limit}",
    "key_pattern": "such names have the pattern {limit}",
    "reference": "name a published mock that stands under `mocks` of this environment",
    "unique": "choose another, or say it in one place only",
    "existing": "leave it out, or leave `existing` out",
    "proxy_header": "leave it out",
}
_STEP = re.compile(r"\.?([a-z0-9_]+)|\[[^]]*]")


@dataclass(frozen=True, slots=True)
class Size:
    """How much a manifest declares; ``mocks`` are those of scenarios too."""

    projects: int
    environments: int
    mocks: int
    scenarios: int


def problems_of(read: Read[Manifest], *, alone: bool = False) -> Sequence[Problem]:
    """What is wrong with a manifest that could be read, in order of place; not more than are told at once.

    ``alone``: it must hold without what is on any server. Otherwise a scenario may name mocks that were made there.
    """
    within = manifest_checking.faults if alone else manifest_checking.contradictions
    found: dict[Problem, None] = {}
    for fault in chain(fields.faults(read.message), within(read.message)):
        found.setdefault(_problem(read, fault))
    # To ask for a place has all files composed again.
    return in_order(found, read.marks.find("").file) if found else ()


def all_problems_of(error: Unreadable) -> Sequence[Problem]:
    """What is wrong with a manifest that could not be read: its form, and the limits of the fields that could be.

    Nothing is told that may only be so because of what could not be read: that a field is missing, or a contradiction.
    """
    if error.rest is None:
        return error.problems
    rest: Read[Manifest] = error.rest
    further = [_problem(rest, fault) for fault in fields.faults(rest.message) if fault.fault.rule != "required"]
    return in_order(dict.fromkeys([*error.problems, *further]), rest.marks.find("").file) if further else error.problems


def in_order(problems: Iterable[Problem], first: str) -> Sequence[Problem]:
    """Problems in order of place, the file ``first`` before others; not more than are told at once."""

    def place(problem: Problem) -> tuple[bool, str, int, int]:
        mark = problem.mark
        return mark.file != first, mark.file, mark.line, mark.column

    return sorted(problems, key=place)[:PROBLEMS_MAX]


def size_of(manifest: Manifest) -> Size:
    """Count what a manifest declares."""
    environments = [each for project in manifest.projects.values() for each in project.environments.values()]
    scenarios = [each for environment in environments for each in environment.scenarios.values()]
    mocks = sum(len(each.mocks) for each in environments) + sum(len(each.local_mocks) for each in scenarios)
    return Size(len(manifest.projects), len(environments), mocks, len(scenarios))


def _problem(read: Read[Manifest], error: InvalidInput) -> Problem:
    path = error.fault.field
    # A message begins with the path; what is told has the place instead.
    message = error.message.removeprefix(path).strip()
    return Problem(read.marks.find(path), read.marks.name(path), message, _advice(error.fault, path))


def _advice(fault: Fault, path: str) -> str:
    if path == "source" and fault.rule == "required":
        # A file has its name for a source; what comes through a pipe has none.
        return "write `source: NAME` into it, or add --source NAME"
    if fault.rule in _ADVICE:
        return _ADVICE[fault.rule].format(limit=fault.limit)
    if fault.rule in ("pattern", "min_length", "required"):
        example = _example(path)
        return f"write it like {example}" if example else ""
    return ""


def _example(path: str) -> str:
    """The example that the contract gives for a field, as JSON; empty when there is none."""
    steps = list(_fields(Manifest.DESCRIPTOR, path))
    if not steps:
        return ""
    examples = comments.read(contract.understudy().comments.get(steps[-1].full_name, "")).examples
    if not examples:
        return ""
    example = examples[0]
    # Of a list, one element is at fault.
    one = example[0] if isinstance(example, list) and example and path.endswith("]") else example
    return json.dumps(one, ensure_ascii=False)


def _fields(kind: Any, path: str) -> Iterator[FieldDescriptor]:
    """The fields that a path leads through, as far as it names fields."""
    for step in _STEP.finditer(path):
        if step[1] is None:
            continue
        if kind is None or step[1] not in kind.fields_by_name:
            return
        field = kind.fields_by_name[step[1]]
        yield field
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            kind = kind.fields_by_name["value"].message_type
