"""The reference leaves nothing out, and its links lead where they say."""

import re
from collections import Counter
from functools import cache

import pytest
from reference import PAGES
from reference_pages.schemas import kind, limits
from reference_pages.text import code, link, slug, table
from settings_list import Setting, read_settings
from understudy_gateway.transcoding.contract import understudy
from understudy_server.cli.settings import NAMES, Settings, load_settings


@cache
def _text(name: str) -> str:
    text: str = PAGES[name].write()
    return text


def _headings(name: str) -> list[str]:
    outside = re.sub(r"^```.*?^```", "", _text(name), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", outside, re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_no_two_headings_have_one_anchor(name: str) -> None:
    assert [anchor for anchor, number in Counter(map(slug, _headings(name))).items() if number > 1] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    wide = [[line.count("|") - line.count("\\|") for line in part.splitlines()] for part in _tables(_text(name))]
    assert [counts for counts in wide if len(set(counts)) > 1] == []


def _tables(text: str) -> list[str]:
    return re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)


def test_every_rpc_and_message_is_in_the_page_about_grpc() -> None:
    methods = [method for service in understudy().services for method in service.methods]
    names = {name for each in methods for name in (each.name, each.input_type.name, each.output_type.name)}
    assert names - set(_headings("grpc")) == set()


def test_every_rpc_is_in_the_page_about_rest() -> None:
    assert {method.name for method in understudy().methods()} - set(_headings("rest")) == set()


def test_every_setting_is_listed_and_explained() -> None:
    listed = read_settings()
    assert sorted(each.name for each in listed) == sorted(NAMES)
    assert [each.name for each in listed if not each.about] == []


@pytest.mark.parametrize("setting", [each for each in read_settings() if each.default], ids=lambda each: each.name)
def test_a_default_that_is_shown_can_be_given(setting: Setting) -> None:
    given = load_settings({}, {f"UNDERSTUDY_{setting.name.upper()}": setting.default})
    assert getattr(given, setting.name) == getattr(Settings(), setting.name)


def test_what_a_setting_takes_is_known() -> None:
    settings = {each.name: each for each in read_settings()}
    assert settings["journal"].choices == ("disk", "memory")
    assert settings["plan"].choices == ("free", "dev", "team", "business")
    assert (settings["stop_grace_seconds"].least, settings["proxy_headers_max"].least) == (0, 1)
    assert (settings["api_rate"].default, settings["rest"].default) == ("6000/60", "127.0.0.1:8000")
    assert settings["flagbridge_requests"].default == "eval=10000,test=1000,mgmt=500,full=500"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": ["string", "null"]}, "text or null"),
        ({"type": ["string", "number", "boolean"]}, "text"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "object", "additionalProperties": {"$ref": "#/$defs/Mock"}}, "mapping to [Mock](#mock)"),
        ({"enum": ["a", "b"], "type": "string"}, "`a`, `b`"),
        ({"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/Variable"}]}, "integer"),
        ({"type": "string", "contentEncoding": "base64"}, "text (base64)"),
        ({}, "any JSON value"),
        ({"anyOf": [{}, {"type": "null"}]}, "any JSON value or null"),
    ],
)
def test_kinds_of_values_are_told_in_words(schema: dict[str, object], words: str) -> None:
    assert kind(schema, link) == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 0, "maximum": 9}, "0 to 9"),
        ({"type": "integer", "minimum": 0, "maximum": 2**32 - 1}, ""),
        ({"type": "string", "minLength": 1}, "not empty"),
        ({"type": "string", "maxLength": 5, "pattern": "^(?:[a-z]+)$"}, "at most 5 characters\n`[a-z]+`"),
        ({"type": "array", "items": {"maxLength": 5}, "maxItems": 2}, "at most 2 elements\neach at most 5 characters"),
        ({"type": "boolean", "default": False}, "default `false`"),
    ],
)
def test_limits_are_told_in_words(schema: dict[str, object], words: str) -> None:
    assert limits(schema) == words


def test_columns_without_content_are_left_out() -> None:
    assert table(("A", "B"), [("one", ""), ("two", "")]) == ["| A |", "| --- |", "| one |", "| two |", ""]


def test_bars_and_line_breaks_stay_in_their_cell() -> None:
    assert table(("A",), [("one|two\nthree",)])[2] == "| one\\|two<br>three |"


def test_code_may_hold_a_backtick() -> None:
    assert code("a`b") == "``a`b``"
