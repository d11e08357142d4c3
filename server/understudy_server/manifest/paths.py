"""Where a value is in a manifest: as problems name it, and as the server names it in a fault."""

import ast
import re
from collections.abc import Iterable

from understudy_server.manifest.limits import SHOWN_KEY_CHARACTERS_MAX
from understudy_server.manifest.shapes import Shape

Path = tuple["Path", str | int] | None
"""The way to a value: the way to what holds it, with a key or an index; None for the whole. Cheap to make longer."""

Step = str | int
"""A field, a key or an index."""

_SIMPLE = re.compile(r"[A-Za-z0-9_-]+")
_STEP = re.compile(
    r"""\.?(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | \[(?P<index>[0-9]{1,9})\]
    | \[(?P<key>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""",
    re.VERBOSE | re.DOTALL,
)


def written(path: Path) -> str:
    """A path as problems name it: ``projects.checkout.environments.staging.hosts[0]``."""
    steps: list[Step] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return joined(reversed(steps))


def joined(steps: Iterable[Step]) -> str:
    """Steps as problems name them: names with dots, indexes and keys that are no words in brackets; long ones cut."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif len(step) > SHOWN_KEY_CHARACTERS_MAX:
            text += f"[{step[:SHOWN_KEY_CHARACTERS_MAX] + '…'!r}]"
        elif _SIMPLE.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text


def fault_steps(field: str, shape: Shape) -> list[Step]:
    """The steps of a path as a fault has it: ``projects['checkout'].environments['staging'].hosts[0]``.

    Names are those of the contract. What stands before the message itself (``manifest.``, ``mock.``) is left out, and
    what cannot be read at the end.
    """
    steps: list[Step] = []
    position = 0
    while found := _STEP.match(field, position):
        position = found.end()
        if found["index"] is not None:
            steps.append(int(found["index"]))
        else:
            steps.append(found["name"] or str(ast.literal_eval(found["key"])))
    return steps[1:] if len(steps) > 1 and steps[0] not in shape.by_name else steps
