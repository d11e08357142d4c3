"""Templates of answers: the language (`templating`), with the request, state, time and chance for it to speak of."""

from functools import lru_cache
from typing import Any, Final

from understudy_server.core.draws import Draws
from understudy_server.core.responding import template_request, template_state
from understudy_server.core.responding.plan import Scene
from understudy_server.core.responding.template_functions import (
    DRAWING,
    FUNCTIONS,
    FakeView,
    fake_function,
    random_choice,
)
from understudy_server.core.responding.template_request import NEED_BODY, RequestView
from understudy_server.core.responding.template_state import StateView
from understudy_server.core.templating.language import Language, Shortcut
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.template import Template, compile_template
from understudy_server.core.templating.values import MISSING, Lookup

REMEMBERED_LENGTH_MAX: Final = 16 * 1024
"""Templates up to so many characters are remembered: they are compiled once to be checked, and then for each use."""


class _SessionView(Lookup):
    """``session``: its key, and what its chance follows from."""

    __slots__ = ("_scene",)

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def find(self, key: str) -> Any:
        if key == "key":
            return self._scene.session_key or MISSING
        return self._scene.seed if key == "seed" else MISSING

    def keys(self) -> list[str]:
        return [key for key in ("key", "seed") if self.find(key) is not MISSING]


def _shortcut(path: tuple[str, ...]) -> Shortcut | None:
    if path[0] == "request":
        return template_request.shortcut(path)
    return template_state.shortcut(path) if path[0] == "state" else None


LANGUAGE: Final = Language(
    roots={
        "request": RequestView,
        "session": lambda run: _SessionView(run.scene),
        "state": StateView,
        "occurrence": lambda run: run.scene.occurrence,
        "fake": lambda _: FakeView(),
    },
    functions=FUNCTIONS,
    filters={"random": random_choice},
    modules={"fake": fake_function},
    shortcut=_shortcut,
)
"""What the templates of answers are written in."""


class TextTemplate:
    """A template. ``counts``, ``wants_body`` and ``repeats`` as of an `Answerer`; ``tokens``: how many made it."""

    __slots__ = ("_template", "counts", "repeats", "tokens", "wants_body")

    def __init__(self, template: Template) -> None:
        self._template = template
        self.tokens, needs = template.tokens, template.needs
        self.wants_body = any(_needs_body(path) for path in needs)
        self.counts = any(path[0] in DRAWING or path[0] == "occurrence" for path in needs)
        self.repeats = not self.counts and all(path[0] == "request" or path[0].startswith("|") for path in needs)

    def render(self, run: Run) -> str:
        """Make the text. Raises Fault."""
        return self._template.render(run)


def _needs_body(path: tuple[str, ...]) -> bool:
    return path[0] == "request" and (len(path) == 1 or path[1] in NEED_BODY or path[1].endswith("()"))


def begin(scene: Scene, draws: Draws) -> Run:
    """Begin an answer: all of its templates together take as many steps, and make as much text, as one may."""
    return Run(scene, draws)


def compile_text(source: str) -> TextTemplate:
    """Compile a template. Raises BadTemplate."""
    return (
        _remembered(source)
        if len(source) <= REMEMBERED_LENGTH_MAX
        else TextTemplate(compile_template(source, LANGUAGE))
    )


@lru_cache(maxsize=256)
def _remembered(source: str) -> TextTemplate:
    return TextTemplate(compile_template(source, LANGUAGE))
