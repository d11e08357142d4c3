"""Which environment a request is for, and what of its target is matched, forwarded and logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import FakeSource, environment
from support.proxying import Proxy, body_of, running, status_of
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.live.view import LiveView
from understudy_server.proxy.addressing import address, host_name, split_absolute
from understudy_server.proxy.messages import ClientRequest


async def _view() -> LiveView:
    """`checkout/staging` has a host of its own, `checkout/qa` has none."""
    source = FakeSource()
    source.commit(
        environments={
            "env_1": environment(hosts=("api.example.com", "::1")),
            "env_2": environment(environment_id="env_2", slug="qa"),
        }
    )
    view = LiveView(source)
    await view.catch_up()
    return view


def _request(target: str, host: bytes = b"proxy") -> ClientRequest:
    request = ClientRequest()
    request.target, request.host, request.headers = target, host, [(b"Host", host)]
    return request


def _found(view: LiveView, request: ClientRequest, bound: tuple[str, str] | None = None) -> tuple[str, str, str] | None:
    addressed = address(view, request, bound)
    if addressed is None:
        return None
    environment, rest, custom_host = addressed
    return environment.row.slug, rest, custom_host


@pytest.mark.parametrize(
    ("target", "rest"),
    [
        ("/checkout/qa", "/"),
        ("/checkout/qa/", "/"),
        ("/checkout/qa?q", "/?q"),
        ("/checkout/qa?", "/?"),
        ("/checkout/qa/a//b/?q?r", "/a//b/?q?r"),
        ("/checkout/qa//a", "//a"),
        ("/checkout/qa/http://x/y", "/http://x/y"),
        ("/checkout/qa/%2e%2e/x", "/%2e%2e/x"),
        ("HTTP://host:1/checkout/qa/x?", "/x?"),
        ("https://host/checkout/qa", "/"),
    ],
)
async def test_path_names_project_environment_and_rest(target: str, rest: str) -> None:
    assert _found(await _view(), _request(target)) == ("qa", rest, "")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "/",
        "/checkout",
        "/checkout/",
        "/checkout/nope/x",
        "/nope/qa/x",
        "//qa/x",
        "/checkout//x",
        "/Checkout/qa/x",
        "/checkout/q%61/x",
        "checkout/qa/x",
        "http://host",
        "http://host?q",
        "ftp://host/checkout/qa/x",
    ],
)
async def test_path_that_names_no_environment_finds_none(target: str) -> None:
    assert _found(await _view(), _request(target)) is None


@pytest.mark.parametrize(
    "host",
    [b"api.example.com", b"API.Example.COM", b"api.example.com:8443", b"api.example.com.", b"Api.example.com.:80"],
)
async def test_host_of_an_environment_takes_the_whole_path(host: bytes) -> None:
    assert _found(await _view(), _request("/checkout/qa/x?y", host)) == (
        "staging",
        "/checkout/qa/x?y",
        "api.example.com",
    )


@pytest.mark.parametrize(
    "host", [b"", b"example.com", b"x.api.example.com", b"api.example.com:x", b"api.example.com, proxy"]
)
async def test_any_other_host_leaves_it_to_the_path(host: bytes) -> None:
    assert _found(await _view(), _request("/checkout/qa/x", host)) == ("qa", "/x", "")


async def test_absolute_target_says_which_host_it_is_for() -> None:
    view = await _view()
    target = "http://user:secret@API.example.com:80/x"
    assert _found(view, _request(target, b"proxy")) == ("staging", "/x", "api.example.com")
    assert _found(view, _request("http://proxy/checkout/qa/x", b"api.example.com")) == ("qa", "/x", "")


@pytest.mark.parametrize(("target", "rest"), [("/x?y", "/x?y"), ("/", "/"), ("http://h", "/"), ("http://h?q", "/?q")])
@pytest.mark.parametrize("host", [b"proxy", b"api.example.com", b""])
async def test_bound_listener_has_one_environment_whatever_the_host(target: str, rest: str, host: bytes) -> None:
    assert _found(await _view(), _request(target, host), ("checkout", "qa")) == ("qa", rest, "")


async def test_bound_listener_of_an_environment_that_is_gone_finds_none() -> None:
    assert _found(await _view(), _request("/checkout/qa/x"), ("checkout", "gone")) is None


@pytest.mark.parametrize(
    ("authority", "name"),
    [("A.b", "a.b"), ("a:80", "a"), ("a.:80", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", ""), (":80", "")],
)
def test_name_of_an_authority(authority: str, name: str) -> None:
    assert host_name(authority) == name


@given(st.text())
def test_any_target_is_split_or_left_alone(target: str) -> None:
    host, rest = split_absolute(target)
    assert (host == "" and rest == target) or (rest.startswith("/") and target.endswith(rest.removeprefix("/")))


async def _ask(proxy: Proxy, target: str, *lines: str, host: str = "a", method: str = "GET") -> bytes:
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "Connection: close", "", ""]
    return await proxy.ask("\r\n".join(head).encode())


async def test_exchange_found_by_host_is_on_record_with_its_whole_path() -> None:
    source = FakeSource()
    source.commit(environments={"env_1": environment(hosts=("api.example.com",))})
    async with running(source) as proxy:
        assert status_of(await _ask(proxy, "/pay?x=1", host="api.example.com")) == 502
        source.commit(environments={"env_1": environment(hosts=("other.example.com",))})
        assert status_of(await _ask(proxy, "/pay", host="api.example.com")) == 404
    assert [(each.path, each.query) for each in proxy.journal.exchanges] == [("/pay", "x=1")]


async def test_bound_listener_needs_no_prefix() -> None:
    source = FakeSource()
    carriers = (Carrier(CarrierKind.QUERY, "s"),)
    source.commit(environments={"env_1": environment(carriers=carriers)})
    async with running(source, bound=("checkout", "staging")) as proxy:
        answer = await _ask(proxy, "/checkout/staging/pay?s=key")
        assert (status_of(answer), b"no_upstream" in body_of(answer)) == (502, True)
    (exchange,) = proxy.journal.exchanges
    assert (exchange.path, exchange.session_key) == ("/checkout/staging/pay", "key")
