"""Cookies on a custom domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.cookie_domain import registrable_root, widen

HOST = "api-qa.example.com"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (b"sid=1; Domain=staging.internal; Path=/", b"sid=1; Domain=example.com; Path=/"),
        (b"sid=1; Domain=.api-qa.example.com", b"sid=1; Domain=example.com"),
        (b"sid=1;domain=x;Secure", b"sid=1;domain=example.com;Secure"),
        (b"sid=1;  DOMAIN = x ; HttpOnly", b"sid=1;  DOMAIN=example.com; HttpOnly"),
        (b"sid=1; Domain=a; Domain=b", b"sid=1; Domain=example.com; Domain=example.com"),
        (b"sid=1; Domain", b"sid=1; Domain=example.com"),
        (b"sid=1; Domain=", b"sid=1; Domain=example.com"),
    ],
)
def test_a_domain_becomes_the_registrable_root(sent: bytes, written: bytes) -> None:
    assert widen(sent, HOST) == written


@pytest.mark.parametrize(
    "sent",
    [
        b"sid=1",
        b"sid=domain=x; Path=/; SameSite=None; Secure; HttpOnly",
        b'sid="a b"; Expires=Wed, 21 Oct 2026 07:28:00 GMT; max-age=5',
        b"sid=; Max-Age=0",
        b"domain=cookie.of.that.name",
        b"sid=1; Path=/;",
        b"sid=1; Partitioned; Priority=High; x-domain=y",
        b"\xff=\xfe",
    ],
)
def test_a_cookie_of_the_host_alone_is_shared_with_its_siblings(sent: bytes) -> None:
    assert widen(sent, HOST) == sent + b"; Domain=example.com"


@pytest.mark.parametrize("sent", [b"__Host-sid=1; Secure; Path=/", b" __hOST-sid=1", b"__Host-sid=1; Domain=x"])
def test_a_cookie_that_must_not_have_a_domain_gets_none(sent: bytes) -> None:
    assert widen(sent, HOST) == sent


def test_a_secure_cookie_gets_a_domain_as_any_other() -> None:
    assert widen(b"__Secure-sid=1; Secure", HOST) == b"__Secure-sid=1; Secure; Domain=example.com"


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("api-qa.example.com", "example.com"),
        ("a.b.c.example.com", "example.com"),
        ("api.example.co.uk", "example.co.uk"),
        ("api.qa.shop.github.io", "shop.github.io"),
        ("a.b.example.unheard-of", "example.unheard-of"),
        ("api.www.ck", "www.ck"),
        ("api.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("api.shop.xn--55qx5d.cn", "shop.xn--55qx5d.cn"),
        ("xn--0.xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("xn--" + "z" * 70 + ".example.com", "example.com"),
        ("a_b.example.com", "example.com"),
    ],
)
def test_the_root_is_the_shortest_name_that_can_be_owned(host: str, root: str) -> None:
    assert registrable_root(host) == root


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "example.co.uk",
        "co.uk",
        "com",
        "shop.github.io",
        "github.io",
        "shop.xn--55qx5d.cn",
        "localhost",
        "app.localhost",
        "127.0.0.1",
        "10.1.2.3",
        "::1",
        "[2001:db8::1]",
        "",
        "a..example.com",
        ".example.com",
        "bücher.example.com",
        "xn--55qx5d.cn",
        "api.example.com; Path=/x",
    ],
)
def test_a_host_that_is_not_below_a_root_leaves_cookies_alone(host: str) -> None:
    assert widen(b"sid=1; Domain=x", host) == b"sid=1; Domain=x"


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([b"domain", b"=", b";", b" ", b"x"]), max_size=12).map(b"".join)
)
def test_all_but_the_domain_stays_to_the_byte(sent: bytes) -> None:
    def others(line: bytes) -> list[bytes]:
        pair, *attributes = line.split(b";")
        return [pair, *(each for each in attributes if each.partition(b"=")[0].strip(b" \t").lower() != b"domain")]

    assert others(widen(sent, HOST)) == others(sent)
    assert widen(widen(sent, HOST), HOST) == widen(sent, HOST)


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["xn--", "a", "co", "uk", "com", "1", "."]), max_size=9).map("".join)
)
def test_a_root_is_an_end_of_its_host(host: str) -> None:
    root = registrable_root(host)
    assert root is None or host.endswith("." + root)
