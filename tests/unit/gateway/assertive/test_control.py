"""Which requests are for the control plane."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.assertive.control import Control, Found, find, is_control

ALL = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}

ROUTES = [
    (ALL, "/__mock__"),
    ({"GET", "POST"}, "/__mock__/stubs"),
    ({"DELETE"}, "/__mock__/stubs/{}"),
    ({"GET"}, "/__mock__/requests"),
    ({"POST"}, "/__mock__/assert"),
    ({"GET", "POST"}, "/__mock__/scopes"),
    ({"DELETE"}, "/__mock__/scopes/{}"),
    ({"GET"}, "/docs"),
    ({"GET"}, "/openapi.json"),
    ({"GET"}, "/__admin__"),
    ({"GET"}, "/__admin__/stubs/new"),
    ({"GET"}, "/__admin__/stubs/{}"),
    ({"GET"}, "/__admin__/scopes/{}"),
    ({"GET"}, "/__admin__/partials/stubs"),
    ({"GET"}, "/__admin__/partials/requests"),
    ({"GET"}, "/__admin__/partials/scopes"),
    ({"DELETE"}, "/__admin__/actions/stubs/{}"),
    ({"DELETE"}, "/__admin__/actions/scopes/{}"),
    *[({"GET"}, f"/__admin__/assets/{name}") for name in ("admin.css", "admin.js", "stub_form.js", "stub_payload.js")],
    *[({"GET"}, f"/__admin__/assets/{name}") for name in ("favicon.png", "swagger-ui.css", "swagger-ui-bundle.js")],
]


def plainly(method: str, target: str) -> bool:
    """The rule told plainly: decoded, then split, and each segment compared."""
    path, _, _ = target.partition("?")
    return any(
        method in methods and (_fits(route, unquote(path).split("/")) or _fits_a_page(route, path.split("/")))
        for methods, route in ROUTES
    )


def _fits(route: str, segments: list[str]) -> bool:
    wanted = route.split("/")
    return len(wanted) == len(segments) and all(
        segment != "" if want == "{}" else want == segment for want, segment in zip(wanted, segments, strict=True)
    )


def _fits_a_page(route: str, segments: list[str]) -> bool:
    """Names on the pages may have a slash in them, encoded; what is before them is decoded as anywhere."""
    before = unquote("/".join(segments[:-1]))
    return route.startswith("/__admin__") and route.endswith("/{}") and _fits(route, [*before.split("/"), segments[-1]])


@pytest.mark.parametrize(
    ("method", "target"),
    [(method, route.replace("{}", "a-1")) for methods, route in ROUTES for method in sorted(methods)],
)
def test_the_calls_of_the_product_are_control_whatever_their_query(method: str, target: str) -> None:
    assert is_control(method, target)
    assert is_control(method, f"{target}?a=1&b=%2F?")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/__mock__/stubs"),
        ("HEAD", "/__mock__/stubs"),
        ("GET", "/__mock__/stubs/abc"),
        ("POST", "/__mock__/requests"),
        ("DELETE", "/__mock__/requests"),
        ("GET", "/__mock__/"),
        ("GET", "/__mock__/stubs/"),
        ("DELETE", "/__mock__/stubs/"),
        ("DELETE", "/__mock__/stubs/a/b"),
        ("DELETE", "/__mock__/stubs/a%2Fb"),
        ("TRACE", "/__mock__"),
        ("get", "/__mock__"),
        ("GET", "//__mock__"),
        ("GET", "/__MOCK__"),
        ("GET", "/__mock__x"),
        ("GET", "/__mock__/reset"),
        ("HEAD", "/docs"),
        ("GET", "/docs/"),
        ("GET", "/redoc"),
        ("POST", "/__admin__"),
        ("GET", "/__admin__/"),
        ("GET", "/__admin__/stubs"),
        ("GET", "/__admin__/stubs/a/b"),
        ("GET", "/__admin__/assets/other.css"),
        ("GET", "/"),
        ("GET", ""),
        ("OPTIONS", "*"),
        ("GET", "?/__mock__"),
        ("GET", "/hello?next=/__mock__"),
        ("GET", "/hello?next=%2F__mock__"),
    ],
)
def test_everything_else_is_mock_traffic(method: str, target: str) -> None:
    assert not is_control(method, target)


@pytest.mark.parametrize("target", ["/%5F_mock__", "/%5f%5Fmock%5f_", "%2F__mock__", "/__moc%6B__?x"])
def test_a_path_counts_decoded(target: str) -> None:
    assert is_control("GET", target)


def test_what_is_named_is_decoded_once() -> None:
    assert find("DELETE", "/__mock__/stubs/a%20b%2525") == Found(Control.DELETE_STUB, "a b%25")
    assert find("GET", "/__admin__/stubs/a%2Fb") == Found(Control.STUB_PAGE, "a/b")
    assert find("GET", "/__admin__/stubs/new") == Found(Control.STUB_FORM)
    assert find("GET", "/__admin__/stubs/n%65w") == Found(Control.STUB_FORM)


PIECES = st.sampled_from(
    [
        *("__mock__", "__admin__", "stubs", "scopes", "requests", "assert", "actions", "partials", "assets", "new"),
        *("docs", "openapi.json", "admin.js", "swagger-ui.css", "é", "a/b", "%", "?", "team-a", "__MOCK__", "a b", ""),
    ]
)
SEPARATORS = st.sampled_from(["/", "/", "/", "/", "%2F", "%2f", "//"])


@st.composite
def targets(draw: st.DrawFn) -> str:
    text = ""
    for piece in draw(st.lists(PIECES, max_size=4)):
        spelt = draw(
            st.sampled_from([piece, quote(piece, safe=""), "".join(f"%{byte:02x}" for byte in piece.encode())])
        )
        text += draw(SEPARATORS) + spelt
    return text + draw(st.sampled_from(["", "", "/", "?", "?a=%2F__mock__"]))


@given(method=st.sampled_from([*sorted(ALL), "TRACE", "get"]), target=targets())
def test_it_agrees_with_the_rule_told_plainly(method: str, target: str) -> None:
    assert is_control(method, target) == plainly(method, target)


@given(method=st.text(max_size=8), target=st.text(max_size=40))
def test_it_never_fails(method: str, target: str) -> None:
    assert is_control(method, target) == plainly(method, target)
