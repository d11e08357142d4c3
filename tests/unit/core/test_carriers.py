"""Where a request keeps its session key."""

import base64
import json
from collections.abc import Sequence
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from understudy_server.core.carriers import (
    CARRIERS_DISAGREE,
    SESSION_HEADER_REPEATED,
    Carrier,
    CarrierKind,
    FoundKey,
    find_key,
    headers_read,
)
from understudy_server.core.session_key import LENGTH_MAX_CHARACTERS

HEADER = Carrier(CarrierKind.HEADER, "X-Test-Run")
COOKIE = Carrier(CarrierKind.COOKIE, "run")
QUERY = Carrier(CarrierKind.QUERY, "run")
CLAIM = Carrier(CarrierKind.JWT_CLAIM, "sid")
BAGGAGE = Carrier(CarrierKind.BAGGAGE, "run")

ALL = (HEADER, COOKIE, QUERY, CLAIM, BAGGAGE)


def key_of(carrier: Carrier, *headers: tuple[bytes, bytes], query: str = "") -> str:
    """The key that one carrier alone gives."""
    found = find_key((), (carrier,), headers, query)
    assert found.findings == ()
    return found.key


def bearer(payload: object) -> tuple[bytes, bytes]:
    return (b"Authorization", b"Bearer " + jwt(json.dumps(payload).encode()))


def jwt(payload: bytes) -> bytes:
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"HS256"}', payload, b"\xffsig"))


def test_without_carriers_the_session_header_alone_counts() -> None:
    assert find_key((b"ci-1",), (), ((b"Cookie", b"run=ci-2"),), "run=ci-3") == FoundKey("ci-1", ())


def test_a_request_that_carries_nothing_has_no_key() -> None:
    assert find_key((), ALL, (), "") == find_key((b" ",), (), (), "") == FoundKey("", ())


@pytest.mark.parametrize("other", [b"ci-2", b"ci-1", b""])
def test_the_first_of_two_session_headers_counts_and_is_a_finding(other: bytes) -> None:
    assert find_key((b"ci-1", other), (), (), "") == FoundKey("ci-1", (SESSION_HEADER_REPEATED,))


def test_a_second_session_header_does_not_stand_in_for_an_empty_first() -> None:
    assert find_key((b"", b"ci-2"), (), (), "") == FoundKey("", (SESSION_HEADER_REPEATED,))


def test_the_session_header_goes_before_all_carriers() -> None:
    headers = ((b"X-Test-Run", b"ci-2"),)
    assert find_key((b"ci-1",), (HEADER,), headers, "") == FoundKey("ci-1", (CARRIERS_DISAGREE,))


def test_carriers_are_tried_in_their_order() -> None:
    headers = ((b"X-Test-Run", b"ci-1"), (b"Cookie", b"run=ci-2"))
    assert find_key((), (COOKIE, HEADER), headers, "").key == "ci-2"
    assert find_key((), (HEADER, COOKIE), headers, "").key == "ci-1"


def test_a_carrier_with_an_empty_key_is_passed_over() -> None:
    headers = ((b"X-Test-Run", b"  "), (b"Cookie", b"run=ci-2"))
    assert find_key((b"",), (HEADER, COOKIE), headers, "") == FoundKey("ci-2", ())


def test_carriers_that_agree_after_normalising_are_no_finding() -> None:
    headers = ((b"X-Test-Run", b"ci-1"), (b"Baggage", b"run=ci%0D%0A-1%20"), bearer({"sid": "ci-1"}))
    assert find_key((b"ci-1",), ALL, headers, "run=+ci-1+") == FoundKey("ci-1", ())


def test_later_carriers_that_disagree_with_each_other_are_a_finding() -> None:
    headers = ((b"X-Test-Run", b"ci-1"), (b"Cookie", b"run=ci-1"))
    assert find_key((), (HEADER, COOKIE, QUERY), headers, "run=ci-2") == FoundKey("ci-1", (CARRIERS_DISAGREE,))


def test_both_findings_come_in_a_fixed_order() -> None:
    found = find_key((b"a", b"b"), (QUERY,), (), "run=c")
    assert found == FoundKey("a", (SESSION_HEADER_REPEATED, CARRIERS_DISAGREE))


def test_a_key_is_cut_as_the_api_cuts_it() -> None:
    assert key_of(QUERY, query="run=" + "k" * 300) == "k" * LENGTH_MAX_CHARACTERS


def test_bytes_are_read_as_utf_8_and_otherwise_as_latin_1() -> None:
    assert find_key(("bjørn".encode(),), (), (), "").key == "bjørn"
    assert find_key(("bjørn".encode("latin-1"),), (), (), "").key == "bjørn"


def test_a_header_is_found_in_any_case_and_its_first_value_counts() -> None:
    assert key_of(HEADER, (b"x-TEST-run", b"ci-1"), (b"x-test-run", b"ci-2")) == "ci-1"


def test_a_cookie_is_found_among_several_cookie_lines() -> None:
    assert key_of(COOKIE, (b"Cookie", b"a=1; b=2"), (b"cookie", b"c=3;run=ci-1;  run=ci-2")) == "ci-1"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'run="ci-1"', "ci-1"),
        (b"run = ci-1 ;x=1", "ci-1"),
        (b"run=a=b", "a=b"),
        (b"run=ci%201", "ci%201"),
        (b'run="', '"'),
        (b'run=""', ""),
        (b"run=", ""),
        (b"Run=ci-1", ""),
        (b"run; xrun=ci-1; run2=ci-1", ""),
        (b"run; run=ci-1", "ci-1"),
        (b";;=;run=ci-1", "ci-1"),
    ],
)
def test_cookies_are_read_as_rfc_6265_says(line: bytes, key: str) -> None:
    assert key_of(COOKIE, (b"Cookie", line)) == key


@given(st.text("abc-_.!~", min_size=1), st.text("abc-_.!~", min_size=1))
def test_cookies_read_as_the_standard_library_reads_them(value: str, other: str) -> None:
    line = f"other={other}; run={value}; last=x"
    assert key_of(COOKIE, (b"Cookie", line.encode())) == SimpleCookie(line)["run"].value


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("run=ci-1", "ci-1"),
        ("a=1&run=ci-1&run=ci-2", "ci-1"),
        ("run=a%20b+c", "a b c"),
        ("r%75n=ci-1", "ci-1"),
        ("run=bj%C3%B8rn", "bjørn"),
        ("run=bj%F8rn", "bjørn"),
        ("run=bj\xc3\xb8rn", "bjørn"),
        ("run=%zz", "%zz"),
        ("run=a=b;c", "a=b;c"),
        ("run&run=ci-2", ""),
        ("run=&run=ci-2", ""),
        ("Run=ci-1", ""),
        ("&&=&", ""),
    ],
)
def test_a_query_parameter_is_decoded_as_forms_are(query: str, key: str) -> None:
    assert key_of(QUERY, query=query) == key


@given(st.text("aé+ %&=;", max_size=20), st.text("aé+ %&=;", max_size=20))
def test_a_query_reads_back_as_it_was_written(name: str, value: str) -> None:
    assert key_of(Carrier(CarrierKind.QUERY, name), query=urlencode([(name, value)])) == value.strip()


@pytest.mark.parametrize(
    ("name", "payload", "key"),
    [
        ("sid", {"sid": "ci-1"}, "ci-1"),
        ("sid", {"sid": 42}, "42"),
        ("sid", {"sid": 0}, "0"),
        ("user.session.key", {"user": {"session": {"key": "ci-1"}}}, "ci-1"),
        ("https://example.com/sid", {"https://example.com/sid": "ci-1"}, "ci-1"),
        ("a.b", {"a.b": "whole", "a": {"b": "path"}}, "whole"),
        ("sid", {"sid": True}, ""),
        ("sid", {"sid": 1.5}, ""),
        ("sid", {"sid": None}, ""),
        ("sid", {"sid": ["ci-1"]}, ""),
        ("sid", {"SID": "ci-1"}, ""),
        ("sid.x", {"sid": "ci-1"}, ""),
        ("sid.0", {"sid": ["ci-1"]}, ""),
        ("sid", ["sid"], ""),
        ("sid", "sid", ""),
    ],
)
def test_a_claim_counts_when_it_is_text_or_a_whole_number(name: str, payload: object, key: str) -> None:
    assert key_of(Carrier(CarrierKind.JWT_CLAIM, name), bearer(payload)) == key


@pytest.mark.parametrize("scheme", [b"bearer", b"BEARER ", b"Bearer  "])
def test_the_word_before_a_token_counts_in_any_case(scheme: bytes) -> None:
    assert key_of(CLAIM, (b"authorization", scheme + b" " + jwt(b'{"sid":"ci-1"}'))) == "ci-1"


def test_a_token_without_a_signature_still_says_which_session() -> None:
    unsigned = jwt(b'{"sid":"ci-1"}').rpartition(b".")[0] + b"."
    assert key_of(CLAIM, (b"Authorization", b"Bearer " + unsigned)) == "ci-1"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer a.b.c",
        b"Bearer a.!!!!.c",
        b"Bearer ..",
        b"Basic " + jwt(b'{"sid":"ci-1"}'),
        b"Bearer " + jwt(b'{"sid":"ci-1"}') + b".x.y",
        b"Bearer " + jwt(b'{"sid":"ci-1"}').partition(b".")[2],
        b"Bearer " + jwt(b'{"sid":"ci-1"'),
        b"Bearer " + jwt(b'{"sid":"ci-1","sid":"ci-2"}'),
        b"Bearer " + jwt(b'{"sid":"\xff"}'),
        b"Bearer " + jwt(b'{"sid":"\\ud800"}'),
        b"Bearer " + jwt(b'{"sid":' + b"1" * 5000 + b"}"),
        b"Bearer " + jwt('{"sid":"ci-1"}'.encode("utf-16")),
        b"Bearer " + jwt(b'{"sid":' + b"[" * 45_000),
        b"Bearer " + jwt(b'{"sid":' * 6_000),
    ],
)
def test_a_broken_token_gives_no_key(value: bytes) -> None:
    assert key_of(CLAIM, (b"Authorization", value)) == ""


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b"run=ci-1", "ci-1"),
        (b"a=1 , run = ci-1 ; ttl=5;p , b=2", "ci-1"),
        (b"run=ci%201%2C+2", "ci 1,+2"),
        (b"run=a=b", "a=b"),
        (b"run=ci-1,run=ci-2", "ci-1"),
        (b"Run=ci-1", ""),
        (b"a;run=ci-1", ""),
        (b"run", ""),
        (b",,;=,", ""),
    ],
)
def test_baggage_is_read_as_w3c_says(line: bytes, key: str) -> None:
    assert key_of(BAGGAGE, (b"baggage", line)) == key


PIECE_OF_A_LIST = st.lists(st.sampled_from([b"run", b"x", b"=", b";", b",", b" ", b"\t", b'"', b"1"]), max_size=14)


@given(PIECE_OF_A_LIST.map(b"".join))
def test_lists_are_searched_as_if_they_were_split(line: bytes) -> None:
    cookies = [pair.partition(b"=") for pair in line.split(b";")]
    cookie = next((value.strip(b" \t") for name, mark, value in cookies if mark and name.strip(b" \t") == b"run"), b"")
    members = [member.partition(b";")[0].partition(b"=") for member in line.split(b",")]
    member = next((value.strip(b" \t") for name, mark, value in members if mark and name.strip(b" \t") == b"run"), b"")
    unquoted = cookie[1:-1] if len(cookie) > 1 and cookie[:1] == cookie[-1:] == b'"' else cookie
    assert key_of(COOKIE, (b"cookie", line)) == unquoted.decode().strip()
    assert key_of(BAGGAGE, (b"baggage", line)) == member.decode().strip()


def test_baggage_may_come_in_several_lines() -> None:
    assert key_of(BAGGAGE, (b"Baggage", b"a=1"), (b"baggage", b"run=ci-1")) == "ci-1"


@given(st.text(max_size=50))
def test_baggage_reads_back_what_was_percent_encoded(value: str) -> None:
    read = key_of(BAGGAGE, (b"baggage", b"a=b,run=" + quote(value, safe="").encode() + b";p=1"))
    assert read == find_key((value.encode(),), (), (), "").key


NAMES = st.sampled_from([b"x-test-run", b"Cookie", b"Authorization", b"baggage", b"other"])
PIECES = st.sampled_from([b"run", b"=", b";", b",", b'"', b"%", b"Bearer ", b".", b"e30", b"\xff", b" ", b"+", b"&"])
VALUES = st.binary(max_size=40) | st.lists(PIECES, max_size=12).map(b"".join)


@given(
    st.lists(VALUES, max_size=3),
    st.lists(
        st.builds(Carrier, st.sampled_from(CarrierKind), st.sampled_from(["run", "sid", "a.b"]) | st.text()), max_size=5
    ),
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.text(max_size=30) | VALUES.map(lambda raw: raw.decode("latin-1")),
)
@example([], list(ALL), [(b"Cookie", b'run="\xc3'), (b"baggage", b"run=%ff%")], "run=\udc80")
def test_whatever_comes_the_key_is_one_that_the_api_could_store(
    explicit: Sequence[bytes], carriers: Sequence[Carrier], headers: Sequence[tuple[bytes, bytes]], query: str
) -> None:
    found = find_key(explicit, carriers, headers, query)
    assert found.key == found.key.strip()
    assert len(found.key) <= LENGTH_MAX_CHARACTERS
    assert found.key.encode() is not None


def test_it_is_known_which_headers_carriers_are_looked_for_in() -> None:
    assert headers_read(ALL) == {b"x-test-run", b"cookie", b"authorization", b"baggage"}
    assert headers_read((QUERY,)) == headers_read(()) == set()


@given(
    st.sampled_from(ALL), st.lists(st.sampled_from([b"x-test-run", b"cookie", b"authorization", b"baggage", b"run"]))
)
def test_other_headers_give_no_key(carrier: Carrier, names: list[bytes]) -> None:
    values = {b"cookie": b"run=k", b"authorization": bearer({"sid": "k"})[1], b"baggage": b"run=k"}
    headers = [(name, values.get(name, b"k")) for name in names if name not in headers_read((carrier,))]
    assert find_key((), (carrier,), headers, "") == FoundKey("", ())
