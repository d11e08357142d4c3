"""What applying a manifest changes, shown line by line, as ``diff`` does it."""

from bisect import bisect_left
from collections.abc import Iterator

from understudy.v1 import manifest_service_pb2 as pb
from understudy.v1.manifest_service_pb2 import ApplyManifestResponse, FieldChange, ManifestChange

from understudy_server.cli.output import count, print_lines

_SIGNS = {
    pb.CHANGE_KIND_CREATE: ("+", "green"),
    pb.CHANGE_KIND_UPDATE: ("~", "yellow"),
    pb.CHANGE_KIND_DELETE: ("-", "red"),
    pb.CHANGE_KIND_ADOPT: (">", "cyan"),
}
_TOLD = (
    (pb.CHANGE_KIND_CREATE, "made", "to make"),
    (pb.CHANGE_KIND_ADOPT, "adopted", "to adopt"),
    (pb.CHANGE_KIND_UPDATE, "changed", "to change"),
    (pb.CHANGE_KIND_DELETE, "removed", "to remove"),
)
_SHOWN_CHARACTERS = 60
_BEFORE_CHARACTERS = 12
_NOT_SET = "null"


def print_changes(answer: ApplyManifestResponse) -> None:
    """Print each change, and in lines of its own each field that differs."""
    if answer.changes:
        print_lines(_signed(answer))
    left = sum(each.count for each in answer.counts) - len(answer.changes)
    if left > 0:
        print_lines([(f"… and {left} more, which --json tells", "")])


def _signed(answer: ApplyManifestResponse) -> Iterator[tuple[str, str]]:
    for change in answer.changes:
        sign, style = _SIGNS.get(change.kind, ("?", ""))
        for line in _lines(change):
            yield f"{sign} {line}", style


def summary(answer: ApplyManifestResponse, name: str, *, is_done: bool) -> str:
    """How many resources were changed, or are to be, in a line."""
    kinds = {each.kind: each.count for each in answer.counts}
    if not kinds:
        return f"{name}: all is as declared"
    parts = [f"{kinds[kind]} {done if is_done else planned}" for kind, done, planned in _TOLD if kind in kinds]
    return f"{name}: {', '.join(parts)}"


def _lines(change: ManifestChange) -> Iterator[str]:
    name = _name(change)
    notes = "; ".join(_notes(change))
    if notes or not change.fields:
        yield f"{name} ({notes})" if notes else name
    for field in change.fields:
        yield f"{name} {_difference(field)}"


def _name(change: ManifestChange) -> str:
    kind = pb.ResourceKind.Name(change.resource).removeprefix("RESOURCE_KIND_").lower()
    place = "/".join(part for part in (change.project, change.environment) if part)
    return " ".join(part for part in (kind, place, change.id) if part)


def _notes(change: ManifestChange) -> Iterator[str]:
    if change.kind == pb.CHANGE_KIND_ADOPT:
        yield "made elsewhere, managed from now on"
    if change.sessions:
        yield f"{count(change.sessions, 'session')} {'loses' if change.sessions == 1 else 'lose'} it"
    if change.keys:
        yield f"{count(change.keys, 'key')} {'stops' if change.keys == 1 else 'stop'} working"
    if change.renamed_to:
        yield f"looks renamed to {change.renamed_to}"


def _difference(field: FieldChange) -> str:
    before, after = field.before or _NOT_SET, field.after or _NOT_SET
    # Of two long values that begin alike, what matters is where they part.
    shared = _shared(before, after)
    start = shared - _BEFORE_CHARACTERS if max(len(before), len(after)) > _SHOWN_CHARACTERS else 0
    return f"{field.path}: {_cut(before, start)} -> {_cut(after, start)}"


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    # By halves: thousands of lines are shown, and a step for each character would take as long as all the rest.
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, 1, key=lambda length: int(one[:length] != other[:length]))


def _cut(text: str, start: int) -> str:
    start = max(start, 0)
    rest = text[start : start + _SHOWN_CHARACTERS]
    return f"{'…' if start else ''}{rest}{'…' if start + _SHOWN_CHARACTERS < len(text) else ''}"
