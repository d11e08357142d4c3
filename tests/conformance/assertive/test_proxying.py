"""Section 5.2: stubs that forward."""

import gzip
import socket
import threading

import pytest
from support.assertive_server import AssertiveUser, proxied
from support.told_upstream import ToldUpstream, answer, chunk

_BARE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def received(service: ToldUpstream, name: str) -> list[str]:
    """The values of a header of the last request that the service got."""
    return [value.decode() for value in service.last.values(name.encode())]


def test_a_call_goes_to_exactly_the_url(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path + "/{x}"}, proxied(f"{service.url}/other/{{x}}"))
    assert user.ask("GET", path + "/42").status_code == 200
    assert service.last.target in ("/other/{x}", "/other/%7Bx%7D")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_method_and_body_go_along(user: AssertiveUser, path: str, service: ToldUpstream, method: str) -> None:
    user.stub({"path": path}, proxied(f"{service.url}/other"))
    assert user.ask(method, path, content=b"body of it").status_code == 200
    assert (service.last.method, service.last.target, service.last.body) == (method, "/other", b"body of it")


def test_a_body_in_chunks_goes_along(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path}, proxied(service.url + "/"))
    user.ask("POST", path, content=iter([b"one", b"two"]))
    assert service.last.body == b"onetwo"


def test_the_query_of_the_call_takes_the_place_of_the_urls(
    user: AssertiveUser, path: str, service: ToldUpstream
) -> None:
    user.stub({"path": path}, proxied(f"{service.url}/other?own=1"))
    user.ask("GET", path + "?a=1&a=2&b=x%20y")
    assert service.last.target.partition("?")[2].replace("+", "%20") == "a=1&a=2&b=x%20y"


def test_a_call_without_a_query_leaves_the_urls(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    # In the product it is lost.
    user.stub({"path": path}, proxied(f"{service.url}/other?own=1"))
    user.ask("GET", path)
    assert service.last.target == "/other?own=1"


def test_all_headers_go_along_and_the_host(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path}, proxied(service.url + "/"))
    user.write("GET", path, "X-One: 1", "Authorization: Bearer a", "Cookie: a=b", host="api.example.com:81")
    for name, value in (
        ("host", "api.example.com:81"), ("x-one", "1"), ("authorization", "Bearer a"), ("cookie", "a=b"),
    ):  # fmt: skip
        assert received(service, name) == [value]


def test_headers_of_the_stub_go_before_those_of_the_call(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path}, proxied(service.url + "/", headers={"x-one": "stub", "x-two": "new"}))
    user.write("GET", path, "X-One: call")
    assert (received(service, "x-one"), received(service, "x-two")) == (["stub"], ["new"])


def test_the_stub_may_name_the_host(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path}, proxied(service.url + "/", headers={"host": "inside.example"}))
    user.write("GET", path, host="outside.example")
    assert received(service, "host") == ["inside.example"]


def test_the_answer_comes_back_as_it_is(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    service.tell(answer(b'{"real": true}', "X-Served-By: it", status="207 Multi-Status"))
    user.stub({"path": path}, proxied(service.url + "/"))
    got = user.write("GET", path)
    assert (got.status, got.body, got.values("x-served-by")) == (207, b'{"real": true}', ["it"])
    assert got.values("content-type") == ["application/json"]


def test_a_redirect_is_passed_on(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    service.tell(answer(b"", f"Location: {service.url}/next", status="302 Found"))
    user.stub({"path": path}, proxied(service.url + "/"))
    got = user.write("GET", path)
    assert (got.status, got.values("location")) == (302, [f"{service.url}/next"])
    assert len(service.requests) == 1


def test_a_missing_type_is_filled_in(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    service.tell(_BARE)
    user.stub({"path": path}, proxied(service.url + "/"))
    got = user.write("GET", path)
    assert (got.body, got.values("content-type")) == (b"ok", ["application/octet-stream"])


def test_an_answer_in_chunks_comes_back_whole(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    service.tell(head, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n")
    user.stub({"path": path}, proxied(service.url + "/"))
    assert user.said("GET", path) == (200, "onetwo")


def test_what_is_compressed_stays_so(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    # The product unpacks it, and leaves the headers that say it is packed.
    packed = gzip.compress(b"plain" * 100)
    service.tell(answer(packed, "Content-Encoding: gzip"))
    user.stub({"path": path}, proxied(service.url + "/"))
    got = user.write("GET", path, "Accept-Encoding: gzip")
    assert (got.body, got.values("content-encoding")) == (packed, ["gzip"])
    assert got.values("content-length") == [str(len(packed))]


def test_cookies_stay_apart_and_stay_with_who_got_them(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    # In the product they are joined, and sent along with later calls of others.
    service.tell(answer(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/"))
    user.stub({"path": path}, proxied(service.url + "/"))
    assert user.write("GET", path).values("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    user.write("GET", path)
    assert received(service, "cookie") == []


def test_date_and_server_come_once(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    service.tell(answer(b"", "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Server: theirs"))
    user.stub({"path": path}, proxied(service.url + "/"))
    got = user.write("GET", path)
    assert got.values("date") == ["Thu, 01 Jan 2026 00:00:00 GMT"]
    assert got.values("server") == ["theirs"]


def test_a_service_that_is_not_there_is_an_error(user: AssertiveUser, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    user.stub({"path": path}, proxied(url))
    got = user.write("GET", path)
    assert (got.status, got.body) == (500, b"Internal Server Error")
    assert got.values("content-type")[0].startswith("text/plain")


def test_a_service_that_takes_too_long_is_an_error(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    never = threading.Event()
    service.tell(never)
    user.stub({"path": path}, proxied(service.url + "/", timeout=1))
    assert user.said("GET", path) == (500, "Internal Server Error")
    never.set()


@pytest.mark.parametrize("url", ["", "not a url", "ftp://127.0.0.1/", "http://"])
def test_a_url_that_is_none_is_refused(user: AssertiveUser, url: str) -> None:
    assert user.refused({"request": {}, "action": proxied(url)})[0]["loc"] == ["body", "action", "proxy", "url"]


def test_a_forwarded_call_is_on_record(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    stub = user.stub({"path": path}, proxied(service.url + "/"))
    user.ask("POST", path + "?a=1", content=b"sent")
    (seen,) = user.requests(path)
    assert (seen["matched_stub_id"], seen["query"], seen["body"]) == (stub, {"a": "1"}, "sent")


def test_a_forwarded_call_counts(user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    user.stub({"path": path}, proxied(service.url + "/"), max_calls=1)
    assert [user.ask("GET", path).status_code for _ in range(2)] == [200, 404]
    assert len(service.requests) == 1
