import orjson
from google.api.httpbody_pb2 import HttpBody
from support import synthetic
from understudy.v1 import log_service_pb2, session_service_pb2
from understudy_gateway.transcoding.contract import understudy
from understudy_gateway.transcoding.operations import compile_routes
from understudy_gateway.transcoding.responses import ResponseEncoder

UNDERSTUDY = compile_routes(understudy())
SYNTHETIC = compile_routes(synthetic.contract())


def encoder(path: str) -> ResponseEncoder:
    tree = UNDERSTUDY if path.startswith("/api/") else SYNTHETIC
    return tree.find("GET", path.encode()).target.response


def test_the_field_named_by_the_rule_is_the_whole_body() -> None:
    response = session_service_pb2.GetSessionResponse()
    response.session.session_key = "ci-42"
    assert orjson.loads(encoder("/api/v1/sessions/a").encode(response).body)["sessionKey"] == "ci-42"


def test_the_revision_is_a_quoted_entity_tag_and_not_in_the_body() -> None:
    response = session_service_pb2.GetSessionResponse()
    response.session.revision = 3
    content = encoder("/api/v1/sessions/a").encode(response)
    assert content.headers == [(b"etag", b'"3"')]
    assert "revision" not in orjson.loads(content.body)


def test_a_captured_body_is_sent_as_it_is_with_what_is_known_of_it() -> None:
    body = HttpBody(content_type="application/json", data=b'{"a": 1.50')
    response = log_service_pb2.GetLogBodyResponse(body=body, truncated=True, size_bytes=300_000)
    content = encoder("/api/v1/logs/log_x/body").encode(response)
    assert content.body == b'{"a": 1.50'
    assert content.content_type == b"application/json"
    assert content.headers == [
        (b"understudy-body-truncated", b"true"),
        (b"understudy-body-size", b"300000"),
        (b"understudy-body-withheld", b"false"),
    ]


def test_a_content_type_that_no_header_can_hold_is_not_sent() -> None:
    response = log_service_pb2.GetLogBodyResponse(body=HttpBody(content_type="a\r\nset-cookie: b", data=b"x"))
    assert encoder("/api/v1/logs/log_x/body").encode(response).content_type == b"application/octet-stream"


def test_a_list_may_be_the_whole_body() -> None:
    assert encoder("/names").encode(synthetic.make("Listed", names=["a", "b"])).body == b'["a","b"]'
