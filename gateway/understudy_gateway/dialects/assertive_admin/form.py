"""The guided form that makes a stub: four steps, one JSON body to ``POST /__mock__/stubs``."""

from collections.abc import Sequence

from understudy_gateway.dialects.assertive_admin.fields import (
    HEADERS_OF_REQUESTS,
    area,
    headers,
    number,
    select,
    text,
)
from understudy_gateway.dialects.assertive_admin.form_actions import action_choice, action_fields, chaos_fields
from understudy_gateway.dialects.assertive_admin.markup import Markup, el
from understudy_gateway.dialects.assertive_admin.shell import page

_STEPS = ("Match", "Action type", "Action details", "Review")

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def new_stub_form(scopes: Sequence[str] = ()) -> str:
    """The form. ``scopes`` are those that the stub can be made in; the address may name one, as ``?scope=``."""
    form = el(
        "form",
        _steps(),
        el("div", id="ui-form-problem", class_="problems", role="alert"),
        _match(scopes),
        _step(2, action_choice()),
        _step(3, action_fields(), chaos_fields()),
        _review(),
        _buttons(),
        id="stub-form",
        class_="panel",
        novalidate=True,
        data_post="/__mock__/stubs",
        data_detail="/__admin__/stubs/",
    )
    scriptless = el(
        "noscript", el("p", "This form needs JavaScript. A stub can also be sent by hand: POST /__mock__/stubs.")
    )
    return page("Create a Stub", scriptless, form, _created(), scripts=("stub_form.js",))


def _steps() -> Markup:
    return el(
        "ol",
        *(el("li", el("button", name, type="button", data_goto=number)) for number, name in enumerate(_STEPS, start=1)),
        class_="steps",
        aria_label="Steps",
    )


def _step(number: int, *content: Markup) -> Markup:
    legend = el("legend", f"{number}. {_STEPS[number - 1]}", tabindex=-1)
    return el("fieldset", legend, *content, id=f"step-{number}", data_step=number)


def _match(scopes: Sequence[str]) -> Markup:
    return _step(
        1,
        el(
            "p",
            "What is left empty matches everything. When several stubs match, the one that asks for most wins.",
            class_="lead",
        ),
        el(
            "div",
            select(
                "ui-request-method", "Method", "request.method", [("", "Any"), *((each, each) for each in _METHODS)]
            ),
            select(
                "ui-request-path-kind",
                "Path is",
                "",
                [("pattern", "a path or a pattern"), ("regex", "a regular expression")],
            ),
            text(
                "ui-request-path",
                "Path",
                "request.path",
                "Such as /users/{id}: a segment in braces matches any one. Without query string.",
                placeholder="/users/{id}",
            ),
            class_="row method-and-path",
        ),
        el(
            "div",
            text(
                "ui-request-host",
                "Host",
                "request.host",
                "The host's name, without port.",
                placeholder="api.example.com",
            ),
            area(
                "ui-request-query",
                "Query",
                "request.query",
                "One name=value a line, not encoded. Others may come along.",
            ),
            class_="row",
        ),
        headers(
            "ui-request-headers",
            "request.headers",
            "One name: value a line. Others may come along. Names are sent in lower case, as matching wants them.",
            HEADERS_OF_REQUESTS,
        ),
        el(
            "div",
            select(
                "ui-request-body-kind",
                "Body is",
                "",
                [
                    ("", "anything"),
                    ("text", "exactly this text"),
                    ("json", "JSON equal to this"),
                    ("criterion", "what this criterion says"),
                ],
            ),
            area("ui-request-body", "Body", "request.body", rows=4),
            class_="row kind-and-body",
        ),
        el(
            "div",
            number("ui-max-calls", "Serves at most", "max_calls", "Calls; empty: no limit.", min=1, step=1),
            select(
                "ui-scope",
                "Scope",
                "scope",
                [("", "none: the stub is global"), *((each, each) for each in scopes)],
                "Seen only by requests that have a header of this name.",
            ),
            class_="row",
        ),
    )


def _review() -> Markup:
    return _step(
        4,
        el(
            "p",
            "This is sent to ",
            el("code", "POST /__mock__/stubs"),
            el("span", id="ui-review-scope"),
            ":",
            class_="lead",
        ),
        el("pre", el("code", id="ui-preview"), tabindex=0, aria_label="The stub as JSON"),
    )


def _buttons() -> Markup:
    # Submitting with Enter means the button that leads on, which the script sees to.
    return el(
        "div",
        el("button", "Back", type="button", id="ui-back"),
        el("button", "Next", type="button", id="ui-next", class_="primary"),
        el("button", "Create Stub", type="submit", id="ui-create", class_="primary"),
        class_="form-buttons",
    )


def _created() -> Markup:
    return el(
        "section",
        el("h2", "Stub created", tabindex=-1),
        el("p", "Its id is ", el("a", id="ui-created-link"), "."),
        el(
            "p",
            el("a", "Create another", href="/__admin__/stubs/new", class_="button"),
            el("a", "Back to the dashboard", href="/__admin__", class_="button primary"),
            class_="button-row",
        ),
        id="ui-created",
        class_="panel created",
        hidden=True,
    )
