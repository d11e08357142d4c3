"""Templates: compiled once, rendered for each request."""

from typing import Final

from understudy_server.core.steps import TooManySteps
from understudy_server.core.templating.building import Builder
from understudy_server.core.templating.faults import BadTemplate, Fault
from understudy_server.core.templating.language import Language
from understudy_server.core.templating.parsing import parse
from understudy_server.core.templating.running import Run, Scope
from understudy_server.core.templating.statements import Print, Statements

SOURCE_MAX: Final = 1024 * 1024
"""A template has at most so many characters."""


class Template:
    """A compiled template.

    ``needs`` are the paths of names that it asks for, with ``()`` behind functions; ``tokens`` how many it was made of.
    """

    __slots__ = ("_binds", "_body", "needs", "tokens")

    def __init__(self, body: Print, needs: frozenset[tuple[str, ...]], tokens: int, *, binds: bool) -> None:
        self._body = body
        self._binds = binds
        self.needs = needs
        self.tokens = tokens

    def render(self, run: Run) -> str:
        """Render it. Raises Fault."""
        out: list[str] = []
        if self._binds:
            run.scope = Scope({})
        try:
            self._body(run, out)
        except TooManySteps:
            raise Fault("it takes more steps than one answer may take") from None
        except RecursionError:
            raise Fault("it is nested too deeply") from None
        return "".join(out)


def compile_template(source: str, language: Language) -> Template:
    """Compile a template. Raises BadTemplate."""
    if len(source) > SOURCE_MAX:
        raise BadTemplate(f"it has {len(source)} characters; {SOURCE_MAX} are the most", 1)
    if "{" not in source and not source.endswith("\n"):
        return Template(_printing(source), frozenset(), 0, binds=False)
    try:
        parsed = parse(source, language.without_tags)
        builder = Builder(language, parsed.bound)
        body = Statements(builder).body(parsed.body)
    except RecursionError:
        raise BadTemplate("it is nested too deeply", 1) from None
    return Template(body, frozenset(builder.needs), parsed.tokens, binds=bool(parsed.bound))


def _printing(text: str) -> Print:
    def put(run: Run, out: list[str]) -> None:
        run.print_room(len(text))
        out.append(text)

    return put
