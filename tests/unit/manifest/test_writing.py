"""What is written is what a person would write."""

import pytest
from support.manifest_texts import manifest, mock
from understudy.v1.actions_pb2 import Respond
from understudy.v1.manifest_service_pb2 import Manifest, ManifestEnvironment, ManifestMock
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT
from understudy_server.manifest import plain
from understudy_server.manifest.writing import write_manifest, write_value

_PLEASANT = """\
# yaml-language-server: $schema=understudy.schema.json
source: checkout-team
organisation:
  name: Example Ltd
  plan: business
projects:
  checkout:
    name: Checkout
    environments:
      qa: {}
      staging:
        upstream: https://staging.example.com
        hosts:
          - api-qa.example.com
        carriers:
          - cookie: qa
          - jwtClaim: sub
        strict: true
        redaction:
          headers:
            - x-customer-token
          jsonPaths:
            - $.card.number
        limits:
          capturedBytesMax: 0
        mocks:
          ovr_cart:
            matcher:
              path: /api/cart
              query:
                currency: EUR
                page: "2"
              body:
                jsonSubset:
                  a: 1.50
            action:
              respond:
                text: |-
                  two
                  lines
            state: draft
          ovr_payDeclined:
            name: "Payment declined: no"
            matcher: POST /api/pay
            action:
              respond:
                status: 402
                headers:
                  x-reason: declined
                  set-cookie:
                    - a=1; Path=/
                    - b=2
                json:
                  error: card_declined
                  "no": "017"
                  list:
                    - 1
                    - - true
                      - null
                    - a: {}
                      b: []
              delay:
                fixedMs: 250
        scenarios:
          scn_declined:
            mocks:
              - ovr_payDeclined
            localMocks:
              ovr_all: {}
"""


def test_a_manifest_is_written_as_a_person_would(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert write_manifest(manifest(tmp_path_factory.mktemp("m"), {"u.yaml": _PLEASANT})) == _PLEASANT


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Payment declined", "Payment declined"),
        ("https://a.example/b?c=d", "https://a.example/b?c=d"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("$.card.number", "$.card.number"),
        ("Über uns", "Über uns"),
        ("no", '"no"'),
        ("Off", '"Off"'),
        ("null", '"null"'),
        ("1:30", '"1:30"'),
        ("2024-01-01", '"2024-01-01"'),
        ("0x1f", '"0x1f"'),
        ("-1", '"-1"'),
        ("", '""'),
        (" x", '" x"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("- a", '"- a"'),
        ("{}", '"{}"'),
        ("*a", '"*a"'),
        ('say "a"', 'say "a"'),
        ('"a"', "'\"a\"'"),
        ("a\tb", '"a\\tb"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("a\x00\x7f\ufeff", '"a\\u0000\\u007f\\ufeff"'),
    ],
)
def test_quotes_are_written_only_where_some_reader_needs_them(text: str, written: str) -> None:
    assert plain.write({"name": text}) == f"name: {written}\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\n\n\nb\n\n", "|+\n  a\n\n\n  b\n"),
        (" a\nb", "|2-\n   a\n  b"),
        ("\na", "|2-\n\n  a"),
        ("a\r\nb", '"a\\r\\nb"'),
        ("\n\n", '"\\n\\n"'),
        ("a\n\x07", '"a\\n\\u0007"'),
    ],
)
def test_lines_of_text_are_written_as_they_are_where_that_is_exact(text: str, written: str) -> None:
    assert plain.write({"text": text}) == f"text: {written}\n"
    assert mock(write_value(ManifestMock(name=text))).name == text


def test_variables_are_escaped_where_they_would_be_read() -> None:
    written = ManifestMock(name="${A} $5 $${B}")
    written.action.respond.text = "${A}"
    assert write_value(written) == 'name: $${A} $5 $$${B}\naction:\n  respond:\n    text: "${A}"\n'.replace('"', "")
    assert mock(write_value(written)) == written


@pytest.mark.parametrize(
    ("matcher", "written"),
    [
        (RequestMatcher(method="POST", path="/a"), "POST /a"),
        (RequestMatcher(method="POST"), "POST"),
        (RequestMatcher(path="/a"), "/a"),
        (RequestMatcher(path="/a b "), '"/a b "'),
        (RequestMatcher(path="/${a}"), "/$${a}"),
        (RequestMatcher(path="/a\nb"), "|-\n  /a\n  b"),
        (RequestMatcher(), "{}"),
    ],
)
def test_a_matcher_is_written_short(matcher: RequestMatcher, written: str) -> None:
    assert write_value(ManifestMock(matcher=matcher)) == f"matcher: {written}\n"
    assert mock(write_value(ManifestMock(matcher=matcher))).matcher == matcher


def test_a_matcher_with_more_than_method_and_path_is_written_at_length() -> None:
    matcher = RequestMatcher(path="/a", query={"b": Criterion(equals="c")})
    assert write_value(ManifestMock(matcher=matcher)) == "matcher:\n  path: /a\n  query:\n    b: c\n"


def test_headers_whose_order_a_mapping_would_lose_are_written_as_a_list() -> None:
    respond = Respond()
    for name, value in (("a", "1"), ("b", "2"), ("a", "3")):
        respond.headers.add(name=name, value=value)
    lines = ["- name: a", '  value: "1"', "- name: b", '  value: "2"', "- name: a", '  value: "3"']
    assert write_value(respond) == "headers:\n" + "".join(f"  {line}\n" for line in lines)


def test_keys_too_long_for_one_line_are_written_out() -> None:
    read = ManifestMock()
    read.action.respond.json = '[{"%s":{"a":1},"b":2}]' % ("k" * 1_500)
    assert mock(write_value(read)) == read


def test_long_lines_are_not_broken() -> None:
    read = ManifestMock(name="x " * 3_000 + "x")
    assert write_value(read).count("\n") == 1
    assert mock(write_value(read)) == read


def test_json_as_deep_as_it_may_be_comes_back_from_the_deepest_place(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    written = Manifest(source="s")
    scenario = written.projects["p"].environments["e"].scenarios["scn_a"]
    respond = scenario.local_mocks["ovr_a"].action.respond
    for deepest in ("{}", "1"):
        respond.json = '{"a":' * 64 + deepest + "}" * 64
        assert manifest(tmp_path_factory.mktemp("m"), {"u.yaml": write_manifest(written)}) == written
    respond.json = '{"a":' * 65 + "1" + "}" * 65
    with pytest.raises(ValueError, match="nested deeper than 64"):
        write_manifest(written)


def test_what_no_file_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="state has no name for 7"):
        write_value(ManifestMock(state=7))  # type: ignore[arg-type]
    broken = ManifestMock()
    broken.action.respond.json = "{"
    with pytest.raises(ValueError, match="Expecting"):
        write_value(broken)


def test_nothing_is_written_for_what_is_not_set() -> None:
    assert write_value(ManifestEnvironment()) == "{}\n"
    assert write_value(ManifestMock(state=MOCK_STATE_DRAFT)) == "state: draft\n"
