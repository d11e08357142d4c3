"""Path templates of ``google.api.http``: ``/v1/{name=shelves/*/books/**}:verb``, parsed into steps and variables."""

import re
from dataclasses import dataclass

ANY_SEGMENT = "*"
REST_OF_PATH = "**"

_STEP = r"/(?:\{([A-Za-z0-9_.]+)(?:=([^{}]+))?\}|([^{}/]+))"
_PATH = re.compile(f"(?:{_STEP})+")


class InvalidTemplate(Exception):
    """A template in the contract is malformed. Raised when the gateway starts, never by a request."""


@dataclass(frozen=True, slots=True)
class Variable:
    """The segments ``start`` to ``stop`` (excluded; None: to the end) are the value of the field at ``path``."""

    path: tuple[str, ...]
    start: int
    stop: int | None


@dataclass(frozen=True, slots=True)
class Template:
    """``steps``: one per segment, a literal, ``*`` or (last) ``**``. ``verb`` without its colon, or empty."""

    steps: tuple[str, ...]
    variables: tuple[Variable, ...]
    verb: str


def parse(text: str) -> Template:
    """Parse a template. Raises ``InvalidTemplate``."""
    path, verb = _split_verb(text)
    if _PATH.fullmatch(path) is None:
        raise InvalidTemplate(f"{text}: must be segments, each after one slash")
    steps: list[str] = []
    variables: list[Variable] = []
    for name, pattern, literal in re.findall(_STEP, path):
        inner = [literal] if literal else (pattern or ANY_SEGMENT).split("/")
        if name:
            stop = None if inner[-1] == REST_OF_PATH else len(steps) + len(inner)
            variables.append(Variable(tuple(name.split(".")), len(steps), stop))
        steps += inner
    if REST_OF_PATH in steps[:-1] or "" in steps:
        raise InvalidTemplate(f"{text}: {REST_OF_PATH} must come last, and no segment may be empty")
    return Template(tuple(steps), tuple(variables), verb)


def _split_verb(text: str) -> tuple[str, str]:
    """Split a trailing ``:verb`` off. A colon inside braces or before the last slash is not one."""
    last = max(text.rfind("/"), text.rfind("}"))
    colon = text.find(":", last + 1)
    return (text, "") if colon < 0 else (text[:colon], text[colon + 1 :])
