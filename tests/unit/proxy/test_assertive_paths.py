"""Paths of stubs, held against the product's rules told plainly: which calls they match, and what they capture."""

from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.assertive import paths
from understudy_server.core.matching.index import Index
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.paths import split_decoded
from understudy_server.core.matching.request import Request
from understudy_server.core.profiles import Profile
from understudy_server.definitions.matchers import compile_pattern

_PIECES = st.sampled_from(["/", "/", "a", "b", "{x}", "{y}", "{", "}", ":x", "%2F", "%", "?", "#", "é", " ", "{}", "+"])
_TEXTS = st.lists(_PIECES, max_size=8).map("".join)
_SENT = st.lists(
    st.sampled_from(["/", "/", "a", "b", "%2F", "%2f", "%25", "%3F", "%23", "%7B", "%7D", "x", ":x", "%C3%A9", "%20"]),
    max_size=8,
).map(lambda pieces: "/" + "".join(pieces))


def _plainly(stub: str, call: str) -> dict[str, str] | None:
    """What a stub's path captures of a decoded path; ``None`` when it does not match."""
    wanted, given_ = [text.strip("/").split("/") if text.strip("/") else [] for text in (stub, call)]
    if len(wanted) != len(given_):
        return None
    captured = {}
    for pattern, segment in zip(wanted, given_, strict=True):
        name = pattern[1:-1]
        if pattern[:1] == "{" and pattern[-1:] == "}" and name and "{" not in name and "}" not in name:
            captured[name] = segment
        elif pattern != segment:
            return None
    return captured


class _Call(Request):
    def segments(self) -> tuple[str, ...]:
        return split_decoded(self.decoded_path())


def _found(stub: str, sent: str) -> dict[str, str] | None:
    pattern = compile_pattern(paths.pattern(stub), Profile.ASSERTIVE)
    call = _Call("GET", sent)
    index = Index([Candidate(Mock("stub", Matcher(path=pattern)))], Profile.ASSERTIVE)
    assert pattern.matches(call.segments()) is (index.first(call) is not None)
    if not pattern.matches(call.segments()):
        return None
    return pattern.parameters_of(call.segments())


@given(_TEXTS, _SENT)
def test_path_matches_what_it_matches_in_the_product(stub: str, sent: str) -> None:
    assert _found(stub, sent) == _plainly(stub, unquote(sent))


@given(_TEXTS)
def test_path_matches_itself_when_it_is_sent_encoded(stub: str) -> None:
    literal = stub.replace("{", "").replace("}", "")
    assert _found(literal, "/" + quote(literal.lstrip("/"), safe="/")) == {}
    assert _plainly(literal, "/" + literal) == {}


@given(_SENT)
def test_number_of_slashes_at_the_ends_is_of_no_concern(sent: str) -> None:
    bare = sent.strip("/")
    assert split_decoded(unquote(f"//{bare}///")) == split_decoded(unquote(f"/{bare}"))
