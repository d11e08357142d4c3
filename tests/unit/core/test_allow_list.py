"""Which upstream addresses may be connected to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.allow_list import AllowList

GUARDED = [
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "100.100.100.200",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::169.254.169.254",
    "::ffff:0.0.0.0",
]
ORDINARY = ["127.0.0.1", "10.1.2.3", "203.0.113.7", "100.64.0.1", "::1", "fd00::1", "2001:db8::1", "::ffff:10.1.2.3"]


@pytest.mark.parametrize("text", ["", "  ", "0.0.0.0/0, ::/0"])
@pytest.mark.parametrize("address", ORDINARY)
def test_ordinary_addresses_are_admitted_by_default(text: str, address: str) -> None:
    assert AllowList.parse(text).admits("api.example.com", address)


@pytest.mark.parametrize("text", ["", "0.0.0.0/0, ::/0", "api.example.com", "*.example.com", "168.0.0.0/5, fe00::/7"])
@pytest.mark.parametrize("address", GUARDED)
def test_a_guarded_address_needs_an_entry_of_its_own(text: str, address: str) -> None:
    assert not AllowList.parse(text).admits("api.example.com", address)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("169.254.169.254", "169.254.169.254"),
        ("169.254.169.0/24", "169.254.169.254"),
        ("169.254.0.0/16", "::ffff:169.254.1.1"),
        ("fe80::/10", "fe80::1"),
        ("255.255.255.255", "255.255.255.255"),
    ],
)
def test_an_entry_inside_a_guarded_range_admits_it(text: str, address: str) -> None:
    assert AllowList.parse(text).admits("api.example.com", address)


def test_ranges_admit_by_address_whatever_the_name() -> None:
    allowed = AllowList.parse("10.0.0.0/8, 2001:db8::/32,203.0.113.7")
    assert allowed.admits("api.example.com", "10.1.2.3")
    assert allowed.admits("10.1.2.3", "::ffff:10.1.2.3")
    assert allowed.admits("", "2001:db8::5")
    assert allowed.admits("other.example.com", "203.0.113.7")
    assert not allowed.admits("api.example.com", "11.1.2.3")
    assert not allowed.admits("api.example.com", "2001:db9::5")


@pytest.mark.parametrize("host", ["api.example.com", "API.Example.COM", "api.example.com."])
def test_a_host_name_admits_wherever_it_resolves(host: str) -> None:
    allowed = AllowList.parse("Api.example.com.")
    assert allowed.admits(host, "10.1.2.3")
    assert allowed.admits(host, "2001:db8::1")


@pytest.mark.parametrize(
    "host", ["example.com", "x.api.example.com", "api.example.com.evil.org", "xapi.example.com", ""]
)
def test_another_host_name_is_not_admitted(host: str) -> None:
    assert not AllowList.parse("api.example.com").admits(host, "10.1.2.3")


def test_a_star_stands_for_every_host_below() -> None:
    allowed = AllowList.parse("*.example.com")
    assert allowed.admits("api.example.com", "10.1.2.3")
    assert allowed.admits("a.b.Example.com", "10.1.2.3")
    assert not allowed.admits("example.com", "10.1.2.3")
    assert not allowed.admits("badexample.com", "10.1.2.3")


def test_a_name_in_another_script_is_known_by_both_spellings() -> None:
    allowed = AllowList.parse("bücher.example, *.xn--bcher-kva.example")
    assert allowed.admits("xn--bcher-kva.example", "10.1.2.3")
    assert allowed.admits("www.bücher.example", "10.1.2.3")
    assert not allowed.admits("." * 70 + "ü", "10.1.2.3")


def test_names_without_dots_are_host_names() -> None:
    assert AllowList.parse("payments_stub,localhost").admits("payments_stub", "172.18.0.3")


@pytest.mark.parametrize("address", ["", "api.example.com", "10.1.2", "010.1.2.3", "1.2.3.4:80", "[::1]"])
def test_a_text_that_is_no_address_is_not_admitted(address: str) -> None:
    assert not AllowList.parse("").admits("api.example.com", address)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "*.",
        "a.*.example.com",
        "example..com",
        "-a.example",
        "a b",
        "https://example.com",
        "example.com:80",
        "[::1]",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0",
        "127.1",
        "0x7f000001",
        "2130706433",
        "010.1.2.3",
        "::ffff:10.0.0.1",
        "::ffff:10.0.0.0/104",
        "64:ff9b::/96",
        "10.0.0.1,",
        ",",
        "a" * 64,
        "a." * 127 + "example",
        "ü" * 80,
    ],
)
def test_what_is_no_entry_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"allowed is an address .*, a range .*, a host name .* or \*\.example\.com"):
        AllowList.parse(text)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6, network="2000::/3"))
def test_an_address_as_an_entry_admits_itself_alone(address: object) -> None:
    allowed = AllowList.parse(str(address))
    assert allowed.admits("", str(address))
    assert allowed.admits("", "198.51.100.1") is (str(address) == "198.51.100.1")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_it(text: str, host: str, address: str) -> None:
    try:
        allowed = AllowList.parse(text)
    except ValueError:
        allowed = AllowList.parse("*.example.com")
    assert allowed.admits(host, address) in (True, False)
    assert allowed.admits(host, "10.1.2.3") in (True, False)
