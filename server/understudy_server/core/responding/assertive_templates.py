"""Templates of answers in environments of Assertive's profile: of one name, ``request``, and its words for what fails.

The language is ours (`templating`); the tags and filters that it has beyond Jinja are not offered here. What is said of
a template that fails the product has from Jinja, and so do we where it is short. Whatever is wrong with a template is
told when it is rendered.
Source: Assertive, templates.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from understudy_server.core.matching import json_values
from understudy_server.core.responding.assertive_filters import OWN_FILTERS, WITHOUT_FILTERS
from understudy_server.core.responding.template_functions import random_choice
from understudy_server.core.responding.template_request import PARTS, Headers, content, text_body
from understudy_server.core.responding.templates import REMEMBERED_LENGTH_MAX, TextTemplate
from understudy_server.core.templating.faults import BadTemplate, Fault, Misplaced
from understudy_server.core.templating.language import Language, Wording
from understudy_server.core.templating.running import Run
from understudy_server.core.templating.template import Template, compile_template
from understudy_server.core.templating.values import MISSING, Lookup, Undefined

BAD_BODY: Final = "Invalid JSON request body for JSON content-type"
"""What is said of a body that is no JSON, although the content type says so."""

# What we say, and what Jinja does.
_WORDS: Final = (
    (re.compile(r"there is no filter ('.*')"), r"No filter named \1."),
    (re.compile(r"there is no test ('.*')"), r"No test named \1."),
)
_LINE: Final = re.compile(r" \(line \d+\)")


class _Unknown(Undefined):
    """What is not there, in the words of Jinja."""

    __slots__ = ()

    def fault(self) -> Fault:
        return Fault(self.described)


class _JinjaWording(Wording):
    __slots__ = ()

    def name(self, name: str) -> Undefined:
        return _Unknown(f"{name!r} is undefined")

    def part(self, of: Any, key: Any, described: str) -> Undefined:  # noqa: ARG002 - it is said of the value
        kind = _kind_of(of)
        return _Unknown(
            f"{kind!r} has no attribute {key!r}" if isinstance(key, str) else f"{kind} has no element {key!r}"
        )

    def function(self, of: Any, name: str) -> Fault:
        return self.part(of, name, "").fault()


def _kind_of(value: Any) -> str:
    if value is None:
        return "None"
    return "dict object" if isinstance(value, Lookup) else f"{type(value).__name__} object"


class _Headers(Headers):
    """Headers by name in lower case, and in no other."""

    __slots__ = ()

    def find(self, key: str) -> Any:
        return super().find(key) if key == key.lower() else MISSING


class _RequestView(Lookup):
    """The whole request."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def find(self, key: str) -> Any:
        part = _PARTS.get(key)
        return part(self._run) if part else MISSING

    def keys(self) -> Iterable[str]:
        return _PARTS


def _body(run: Run) -> Any:
    """The body: what it is as JSON, if its content type says that it is some, and else as text."""
    return _json(run) if _is_json(run) else text_body(run)


def _json(run: Run) -> Any:
    request = run.scene.request
    content(run)
    run.take(request.steps_to_read_json())
    value = request.json()
    if value is json_values.UNREADABLE:
        raise Fault(BAD_BODY)
    return value


def _is_json(run: Run) -> bool:
    content_types = run.scene.request.header(b"content-type")
    media_type = content_types[0].partition(";")[0].strip().lower() if content_types else ""
    return media_type == "application/json" or media_type.endswith("+json")


_PARTS: Final[Mapping[str, Callable[[Run], Any]]] = {
    **{name: PARTS[name] for name in ("path", "method", "host")},
    "scope": lambda run: run.scene.request.scope or None,
    "query": PARTS["query"],
    "headers": lambda run: _Headers(run.scene.request),
    "path_params": PARTS["path_params"],
    "body": _body,
}

_LANGUAGE: Final = Language(
    roots={"request": _RequestView},
    filters={**OWN_FILTERS, "random": random_choice},
    wording=_JinjaWording(),
    without_tags=frozenset({"do", "break", "continue"}),
    without_filters=WITHOUT_FILTERS,
)


class AssertiveTemplate(TextTemplate):
    """A template. Whether it speaks of the body or not, that has to be JSON where the content type says so."""

    __slots__ = ("_bad",)

    def __init__(self, template: Template, bad: str = "") -> None:
        super().__init__(template)
        self.wants_body = True
        self._bad = bad
        """What is wrong with it, so that it is never rendered; empty when it is one."""

    def render(self, run: Run) -> str:
        if _is_json(run):
            _json(run)
        if self._bad:
            raise Fault(self._bad)
        try:
            return super().render(run)
        except Fault as fault:
            # In which line it was the product does not say.
            raise Fault(fault.message) from None


_NOTHING: Final = compile_template("", _LANGUAGE)


def compile_assertive(source: str) -> AssertiveTemplate:
    """Compile a template. What is none is told whenever it is rendered."""
    return _remembered(source) if len(source) <= REMEMBERED_LENGTH_MAX else _compiled(source)


@lru_cache(maxsize=256)
def _remembered(source: str) -> AssertiveTemplate:
    return _compiled(source)


def _compiled(source: str) -> AssertiveTemplate:
    try:
        return AssertiveTemplate(compile_template(source, _LANGUAGE))
    except BadTemplate as error:
        return AssertiveTemplate(_NOTHING, _in_words_of_jinja(error))


def _in_words_of_jinja(error: BadTemplate) -> str:
    if isinstance(error, Misplaced):
        return _misplaced(error)
    message = _LINE.sub("", str(error))
    for ours, theirs in _WORDS:
        if found := ours.fullmatch(message):
            return found.expand(theirs)
    return message


def _misplaced(error: Misplaced) -> str:
    word, sought = error.word, error.sought
    said = [f"Encountered unknown tag {word!r}." if word else "Unexpected end of template."]
    if sought:
        tags = " or ".join([repr(each) for each in sought[-1]])
        if any(word in each for each in sought):
            said.append(
                f"You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {tags}."
            )
        else:
            said.append(f"Jinja was looking for the following tags: {tags}.")
        (block,) = [each.removeprefix("end") for each in sought[-1] if each.startswith("end")]
        said.append(f"The innermost block that needs to be closed is {block!r}.")
    return " ".join(said)
