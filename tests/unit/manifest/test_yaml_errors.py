"""What is not YAML, or not YAML as it is read here, is told in plain words and with its place."""

import pytest
from support.manifest_texts import environment, problems
from support.soon import ends_within

_FITS = "begin lines that belong together at the same column, with spaces"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nmocks:\n\tovr_a: {}", "3:1: a tab in the indentation; indent with spaces"),
        (
            "mocks:\n    ovr_a: {}\n  ovr_b: {}",
            f"3:3: this fits nothing above it; {_FITS}, and close the quotes before it",
        ),
        (
            "name: a\n  upstream: b",
            "2:11: a ':' where none can stand; put text that holds ': ' in quotes, or begin a new line",
        ),
        ("name: a: b", "1:8: a ':' where none can stand; put text that holds ': ' in quotes, or begin a new line"),
        ("name: a\nfoo\nstrict: true", "2:1: a key without ':' behind it; write KEY: VALUE, or put text in quotes"),
        ("- a\nb: c", f"2:1: this fits nothing in the list above it; {_FITS}"),
        ("name: - a", "1:7: a '-' where no list can begin; begin it on a new line"),
        ('strict: true\nname: "abc\nupstream: x\n', "2:7: the quote is never closed; close it"),
        ("name: 'abc", "1:7: the quote is never closed; close it"),
        (
            'name: "\\d"',
            r"1:8: an unknown escape in double quotes; write \\ for a backslash, or use single quotes",
        ),
        (
            'name: "\\ud83d\\ude00"',
            r"1:10: an escape that is no character; write the character itself, or one escape such as \U0001F600",
        ),
        ('name: "\\u12"', r"1:10: an escape without its digits; write it like \x41 or \u00e9"),
        (
            "hosts: [a, b\nname: x",
            "2:5: ',' or ']' is missing before this; close the list that opens with '[' in line 1",
        ),
        (
            "cors: {a: b\nname: x",
            "2:5: ',' or '}' is missing before this; close the mapping that opens with '{' in line 1",
        ),
        ("name: @a", "1:7: text cannot begin with '@'; put text that begins with it in quotes"),
        ("name: `a`", "1:7: text cannot begin with '`'; put text that begins with it in quotes"),
        ("name: %a", "1:7: text cannot begin with '%'; put text that begins with it in quotes"),
        (
            "name: * x",
            "1:8: an alias or an anchor without a name; put text that begins with '*' or '&' in quotes",
        ),
        ("name: |x\n a", "1:8: more text behind the sign of a block of text; begin a new line"),
        ("name: a\n---\nname: b", "2:1: a second document begins here; keep one document in a file"),
        ("name: !secret x", "1:7: tags are not used here; leave it out, or put text that begins with '!' in quotes"),
        ("name: !!binary aa", "1:7: tags are not used here; leave it out, or put text that begins with '!' in quotes"),
        ("cors: !!map {}", "1:7: tags are not used here; leave it out, or put text that begins with '!' in quotes"),
        ("name: !x!y a", "1:7: tags are not used here; leave it out, or put text that begins with '!' in quotes"),
        ("# a\n%TAG ! x\n---\nname: a", "2:1: tags are not used here; leave it out"),
        ("# a\r%TAG ! x\r---\rname: a", "2:1: tags are not used here; leave it out"),
        (
            'name: a\nupstream: "a\x07b"',
            '2:13: the unprintable character U+0007 stands here; in double quotes it can be written as "\\u0007"',
        ),
        (
            "name: a\u2028b",
            '1:8: the unprintable character U+2028 stands here; in double quotes it can be written as "\\u2028"',
        ),
        ("a: " + "[" * 100 + "]" * 100, "1:98: nested deeper than 96 levels; make the file simpler"),
        ("", "1:1: there is nothing; write at least {}"),
        ("# nothing yet\n", "1:1: there is nothing; write at least {}"),
        ("~", "1:1: there is nothing; write at least {}"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, said: str) -> None:
    assert problems(text) == [f"f.yaml:{said}"]


def test_a_text_that_is_no_mapping_is_refused() -> None:
    assert problems("[a]")[0].startswith("f.yaml:1:1: must be a mapping, not a list; write any of: name, upstream,")
    assert problems("abc")[0].startswith("f.yaml:1:1: must be a mapping, not 'abc'; write any of: name, upstream,")


@pytest.mark.parametrize("text", ["---\nname: a\n...\n", "%YAML 1.2\n---\nname: a", "name: a\r\n", "\ufeffname: a"])
def test_what_surrounds_a_document_is_no_problem(text: str) -> None:
    assert environment(text).name == "a"


def test_lines_are_counted_as_editors_do() -> None:
    assert problems("name: a\r\nstrict: yes")[0].startswith("f.yaml:2:9: strict: ")
    assert problems("name: ü\nhosts: [é, {}]")[0].startswith("f.yaml:2:12: hosts[1]: ")


@pytest.mark.parametrize(
    "text",
    ["[" * 2**20, "{a: " * 2**18, "- " * 2**19, "? " * 2**19, "%TAG !a! b\n" * 2**16, "a: b: " * 2**18, "*a " * 2**18],
)
def test_what_is_made_to_take_long_is_refused_soon(text: str) -> None:
    def read() -> None:
        assert len(problems(text)) == 1

    assert ends_within(5, read)
