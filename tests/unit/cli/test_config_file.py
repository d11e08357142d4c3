"""The root of understudy.yaml, as the server's settings are read from it."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.cli.config_file import BadConfig, Config, Setting, parse_config, read_config
from understudy_server.manifest.limits import YAML_FILE_BYTES_MAX


def _parse(text: str) -> Config:
    return parse_config(text.encode(), "understudy.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~", "server:", "server: {}", "server: ~"])
def test_a_file_may_say_nothing(text: str) -> None:
    assert _parse(text) == Config()


@pytest.mark.parametrize(
    "text", ["projects: {}", "source: a", "server: {}\nprojects: {}", "projects: {}\nserver: {}", "? [a]\n: b"]
)
def test_any_other_key_declares(text: str) -> None:
    assert _parse(text).declares


def test_a_setting_has_its_text_and_its_place() -> None:
    assert _parse("server:\n  api_rate: 120/60\n").server == {
        "api_rate": Setting("120/60", "understudy.yaml:2:13"),
    }


@pytest.mark.parametrize(
    ("written", "text"),
    [("no", "no"), ("1:30", "1:30"), ("017", "017"), ("2027-01-01", "2027-01-01"), ("'~'", "~"), ('"a\\tb"', "a\tb")],
)
def test_a_setting_is_what_is_written(written: str, text: str) -> None:
    assert _parse(f"server: {{data: {written}}}").texts() == {"data": text}


def test_the_section_is_found_behind_what_is_declared() -> None:
    text = "projects: {a: {environments: {b: {mocks: [1, {server: {plan: free}}]}}}}\nserver: {plan: team}\n"
    assert _parse(text).texts() == {"plan": "team"}


def test_an_alias_of_a_value_is_that_value() -> None:
    assert _parse("source: &name shop\nserver: {data: *name}").texts() == {"data": "shop"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "understudy.yaml:1:1: the file must be a mapping"),
        ("server: [1]", "understudy.yaml:1:9: server must be a mapping of settings"),
        ("server: {? [a] : b}", "understudy.yaml:1:12: server must be a mapping of settings"),
        ("server: {plan: [free]}", "understudy.yaml:1:16: server.plan must be text or a whole number"),
        ("server: {plan: }", "server.plan must be text or a whole number"),
        ("server: {plan: *unknown}", "understudy.yaml:1:16: server.plan must be text or a whole number"),
        ("server: {plan: a,\n plan: b}", "understudy.yaml:2:2: server.plan stands there twice"),
        ("server: {plan: a", "understudy.yaml:2:1: it is not YAML"),
        ("\x00", "understudy.yaml is not YAML: unacceptable character"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(BadConfig) as refused:
        _parse(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"understudy\.yaml is not YAML: it is not UTF-8 \(byte 3\)"):
        parse_config(b"a: \xff", "understudy.yaml")


def test_a_bomb_of_aliases_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert _parse("\n".join([*lines, "server: {plan: free}"])).texts() == {"plan": "free"}


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029"])
def test_directives_of_tags_are_refused_before_they_are_parsed(end: str) -> None:
    # Each is compared with all before it.
    content = "".join(f"%TAG !a{number}! b{end}" for number in range(200_000)) + f"---{end}server: {{plan: free}}"
    with pytest.raises(BadConfig, match=r"understudy\.yaml:[12]:1: tags are not used here; leave it out"):
        parse_config(f"\ufeff#{end}{content}".encode(), "understudy.yaml")


@pytest.mark.parametrize("sign", ["[", "{", "- ", "? "])
def test_what_nests_deeply_is_refused_when_it_is_seen(sign: str) -> None:
    # The time that the parser takes grows with the square of the depth.
    content = f"x:\n  {sign * 1_000_000}\nserver: {{plan: free}}"
    with pytest.raises(BadConfig, match="nested deeper than 96 levels"):
        _parse(content)


def test_a_file_that_is_too_long_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "understudy.yaml"
    path.write_bytes(b"#" * (YAML_FILE_BYTES_MAX + 1))
    with pytest.raises(BadConfig, match=r"has more than 8388608 bytes; put parts of it in files of their own"):
        read_config(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"cannot read .*: it is a folder; name a file"):
        read_config(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_whoever_writes_to_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "understudy.yaml")
    with pytest.raises(BadConfig, match=r"cannot read .*: it is a pipe; name a file, which can be read again"):
        read_config(tmp_path / "understudy.yaml")


def test_a_device_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"cannot read /dev/null: it is no regular file"):
        read_config(Path("/dev/null"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"cannot read .*: No such file or directory"):
        read_config(tmp_path / "understudy.yaml")


@given(st.binary(max_size=200) | st.text(alphabet="server:{}[]&*,? -#'\"\n|>!%@`~ab", max_size=80).map(str.encode))
def test_whatever_stands_there_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadConfig):
        parse_config(content, "understudy.yaml")
