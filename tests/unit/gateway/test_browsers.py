"""What a page of another origin is told before it asks a door that evaluates flags."""

from understudy_gateway.dialects.browsers import preflight, readable

ASKED = b"access-control-request-headers"


def test_a_page_may_send_what_it_asks_for() -> None:
    answer = dict(preflight([(ASKED, b"authorization, x-flowmock-session"), (ASKED, b"baggage")], b"POST"))
    assert answer[b"access-control-allow-headers"] == b"authorization, x-flowmock-session, baggage"
    assert answer[b"access-control-allow-methods"] == b"POST"
    assert int(answer[b"access-control-max-age"]) > 0


def test_what_is_always_allowed_stands_there_once() -> None:
    answer = preflight([(ASKED, b"authorization,x-test-run")], b"GET", (b"Authorization", b"Content-Type"))
    assert dict(answer)[b"access-control-allow-headers"] == b"Authorization, Content-Type, x-test-run"


def test_who_asks_for_no_headers_is_told_of_none() -> None:
    assert b"access-control-allow-headers" not in dict(preflight([], b"POST"))


def test_what_is_no_name_of_a_header_is_not_repeated() -> None:
    answer = dict(preflight([(ASKED, b"x-a, b c, x\r\ny, , \xc3\xbc")], b"POST"))
    assert answer[b"access-control-allow-headers"] == b"x-a"


def test_a_page_on_the_web_may_reach_a_private_address_when_it_asks() -> None:
    private = (b"access-control-allow-private-network", b"true")
    assert private in preflight([(b"access-control-request-private-network", b"true")], b"POST")
    assert private not in preflight([(b"access-control-request-private-network", b"false")], b"POST")


def test_any_page_may_read_the_answer_without_cookies() -> None:
    answer = readable(b"etag", b"retry-after")
    assert answer == [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"etag, retry-after"),
    ]
