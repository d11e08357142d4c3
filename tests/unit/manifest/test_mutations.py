"""Whatever happens to a file, reading it ends in a manifest or in problems that can be told, and nothing else."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import read_manifest

_TEXT = """\
source: s
organisation: {name: &name "Example ${A:-Ltd}", plan: business}
projects:
  checkout: &checkout
    name: *name
    environments:
      staging:
        upstream: https://staging.example.com
        hosts: [api.example.com]
        carriers: [{cookie: qa}]
        limits: {firstByteMs: 250, capturedBytesMax: 0}
        mocks:
          ovr_a: &a
            matcher: POST /api/pay
            action:
              respond:
                status: 402
                headers: {x-reason: declined, set-cookie: [a=1, b=2]}
                json: {error: card_declined, n: [1.50, -2e3, null, true], 'a b': "\\u00e9"}
              delay: {fixedMs: 250}
          ovr_b: {<<: *a, state: draft, name: |
            two
            lines
            }
        scenarios:
          scn_a: {mocks: [ovr_a], localMocks: {ovr_c: {action: {respond: {jsonFile: b.json}}}}}
    include: more.yaml
""".replace(
    """state: draft, name: |
            two
            lines
            }""",
    "state: draft, name: 'two lines'}",
)
_PIECES = [
    b"",
    b"\n",
    b" ",
    b"\t",
    b"-",
    b"- ",
    b": ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"*a",
    b"&a ",
    b"<<: ",
    b"!x ",
    b"|",
    b">",
]
_PIECES += [
    b"%",
    b"#",
    b"${",
    b"}",
    b"\xff",
    b"\x00",
    b"\xe2\x80\xa8",
    b"---\n",
    b"? ",
    b"~",
    b"yes",
    b"017",
    b"include: ",
    b"u.yaml",
    b"\\",
]


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32))
def test_any_change_of_a_file_ends_in_a_manifest_or_in_problems(seed: int) -> None:
    rng = random.Random(seed)
    text = bytearray(_TEXT.encode())
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text))
        text[start : start + rng.choice((0, 0, 1, 2, 8, 40))] = rng.choice(_PIECES)
    _read(bytes(text))


@pytest.mark.parametrize("step", range(7))
def test_any_beginning_of_a_file_ends_in_a_manifest_or_in_problems(step: int) -> None:
    content = _TEXT.encode()
    for end in range(step, len(content), 7):
        _read(content[:end])


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_manifest_or_in_problems(content: bytes) -> None:
    _read(content)


@given(st.text(alphabet="ab:-?{}[],&*#|>'\"%@`! \n\t", max_size=40))
def test_any_signs_of_yaml_end_in_a_manifest_or_in_problems(text: str) -> None:
    _read(text.encode())


def test_the_unchanged_file_is_a_manifest() -> None:
    assert _read(_TEXT.encode())


def _read(content: bytes) -> bool:
    """Read a file of this content; problems must have a place in it and say something."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "u.yaml")
        path.write_bytes(content)
        Path(folder, "b.json").write_text('{"a": 1}')
        Path(folder, "more.yaml").write_text("environments: {qa: {existing: true}}")
        try:
            read_manifest(path, {})
        except Unreadable as unreadable:
            lines = content.decode(errors="replace").splitlines()
            for problem in unreadable.problems:
                assert problem.message
                assert problem.mark.file != str(path) or 1 <= problem.mark.line <= len(lines) + 1
            return False
    return True
