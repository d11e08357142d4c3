"""The steps of the form that say what a stub does: which action, its details, and its chaos."""

from understudy_gateway.dialects.assertive_admin.fields import (
    HEADERS_OF_ANSWERS,
    HEADERS_OF_REQUESTS,
    area,
    headers,
    number,
    select,
    text,
)
from understudy_gateway.dialects.assertive_admin.markup import Markup, el, join

_CHOICES = (
    ("response", "Response", "Answers with a status, headers and a body: fixed text, JSON, or a template."),
    ("proxy", "Proxy", "Passes the call on to another address and returns its answer."),
    ("sse", "Server-sent events", "Streams events one after the other, each after a pause."),
)

_TEMPLATES = "Jinja2, such as {{ request.path_params.id }}."


def action_choice() -> Markup:
    """One of the kinds, as large buttons."""
    return el(
        "div",
        *(
            el(
                "label",
                el(
                    "input", type="radio", name="action", value=kind, id=f"ui-action-{kind}", checked=kind == "response"
                ),
                el("span", el("strong", name), el("span", meaning, class_="hint")),
                class_="choice",
            )
            for kind, name, meaning in _CHOICES
        ),
        class_="choices",
    )


def action_fields() -> Markup:
    """The fields of all kinds; the script shows those of the kind chosen."""
    return join(
        (
            el("div", _response(), data_action="response"),
            el("div", _proxy(), data_action="proxy"),
            el("div", _sse(), data_action="sse"),
        )
    )


def chaos_fields() -> Markup:
    """Latency and drops, folded away until they are wanted."""
    return el(
        "details",
        el("summary", "Chaos: latency and dropped connections"),
        el(
            "p",
            "Chaos latency is sampled from delay to delay + jitter, in whole milliseconds, both ends included.",
            class_="lead",
        ),
        el(
            "div",
            number("ui-chaos-delay-ms", "Delay (ms)", "chaos.latency.base_ms", min=0, step=1, placeholder="0"),
            number("ui-chaos-jitter-ms", "Jitter (ms)", "chaos.latency.jitter_ms", min=0, step=1, placeholder="0"),
            number(
                "ui-chaos-drop-probability",
                "Drop probability",
                "chaos.faults.connection_drop.probability",
                "0 to 1: how often the connection breaks in the middle of the answer. Empty: never.",
                min=0,
                max=1,
                step="any",
            ),
            class_="row",
        ),
        id="ui-chaos",
    )


def _response() -> Markup:
    return join(
        (
            number(
                "ui-response-status",
                "Status",
                "action.response.status_code",
                value=200,
                min=200,
                max=599,
                step=1,
                required=True,
            ),
            headers("ui-response-headers", "action.response.headers", "One name: value a line.", HEADERS_OF_ANSWERS),
            el(
                "div",
                select(
                    "ui-response-body-kind",
                    "Body is",
                    "action.response",
                    [("text", "text"), ("json", "JSON"), ("template", "a template")],
                    f"A template is written in {_TEMPLATES}",
                ),
                area("ui-response-body", "Body", "action.response.body action.response.template_body", rows=6),
                class_="row kind-and-body",
            ),
        )
    )


def _proxy() -> Markup:
    return join(
        (
            text(
                "ui-proxy-url",
                "URL",
                "action.proxy.url",
                "The whole address; nothing of the call's own path is added to it.",
                placeholder="https://api.example.com/v1/users",
                required=True,
                inputmode="url",
            ),
            headers(
                "ui-proxy-headers",
                "action.proxy.headers",
                "One name: value a line. They are sent along, in place of the call's own of the same name.",
                HEADERS_OF_REQUESTS,
            ),
            number("ui-proxy-timeout", "Timeout (seconds)", "action.proxy.timeout", "Empty: 5 seconds.", min=1, step=1),
        )
    )


def _sse() -> Markup:
    return join(
        (
            number(
                "ui-sse-default-delay-ms",
                "Pause before each event (ms)",
                "action.sse.default_delay_ms",
                "For events that have none of their own.",
                min=0,
                step=1,
                placeholder="0",
            ),
            el("div", id="ui-sse-events"),
            el("button", "Add an event", type="button", id="ui-sse-add"),
            el("template", _event(), id="ui-sse-event"),
        )
    )


def _event() -> Markup:
    """One event. ``#`` in ids and places becomes its number."""
    return el(
        "fieldset",
        el("legend", "Event"),
        area("ui-sse-#-data", "Data", "action.sse.events.#.data", _TEMPLATES, rows=2, data_part="data"),
        el(
            "div",
            text("ui-sse-#-event", "Event", "action.sse.events.#.event", data_part="event", placeholder="message"),
            text("ui-sse-#-id", "Id", "action.sse.events.#.id", data_part="id"),
            number("ui-sse-#-retry", "Retry (ms)", "action.sse.events.#.retry", data_part="retry", min=0, step=1),
            number(
                "ui-sse-#-delay-ms", "Pause (ms)", "action.sse.events.#.delay_ms", data_part="delay_ms", min=0, step=1
            ),
            class_="row",
        ),
        el("button", "Remove this event", type="button", class_="danger", data_remove=True),
        class_="event",
    )
