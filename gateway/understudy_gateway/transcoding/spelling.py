"""How a refusal names fields over REST: as the caller wrote them, and not as the protos do.

``mock.matcher.path_prefix`` is ``matcher.pathPrefix`` where the mock is the body, and a revision is the header that it
came in. Names that a caller chose (the keys of a map, what is no field at all) stay as they were given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

WHOLE_BODY = "the body"

# A quoted key, perhaps cut off at its end, or a letter that is a capital in JSON.
_KEY_OR_LETTER = re.compile(r"""(\['(?:[^'\\]|\\.)*(?:'\]|$)|\["(?:[^"\\]|\\.)*(?:"\]|$))|_([a-z0-9])""", re.DOTALL)
_SIGNS_OF_A_PATH = frozenset("_.[")


@dataclass(frozen=True, slots=True)
class Spelling:
    """The names of one route. ``body`` is the field that is the body, or empty; ``headers`` by the names of fields."""

    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def of(self, path: str) -> str:
        """Spell a path of proto names."""
        if path in self.headers:
            return self.headers[path].title()
        if self.body and path == self.body:
            return WHOLE_BODY
        inside = path.removeprefix(self.body + ".") if self.body else path
        return _KEY_OR_LETTER.sub(lambda found: found[1] or found[2].upper(), inside)


def spelled(refusal: Status, spelling: Spelling) -> Status:
    """The same refusal with its fields, and what its messages say of them, in the names of a route."""
    problem = status.read(refusal)
    if not problem.reason or not (problem.field or problem.others):
        return refusal
    others = tuple(_spelled(each, spelling.of) for each in problem.others)
    return status.write(refusal.code, replace(_spelled(problem, spelling.of), others=others))


def _spelled(problem: Problem, spell: Callable[[str], str]) -> Problem:
    if problem.rule == "unknown":
        # The last part is the caller's word and no field of ours.
        above = problem.field.removesuffix(problem.given)
        name = spell(above) + problem.field[len(above) :]
    else:
        name = spell(problem.field)
    return replace(problem, field=name, message=_in_sentence(problem.message, problem.field, name))


def _in_sentence(message: str, path: str, name: str) -> str:
    if path and message.startswith(path):
        return name + message[len(path) :]
    # A word such as `name` may stand in a sentence and mean something else.
    return message.replace(path, name) if _SIGNS_OF_A_PATH & set(path) else message
