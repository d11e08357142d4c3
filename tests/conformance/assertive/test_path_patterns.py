"""Section 3.2: patterns of paths."""

import pytest
from support.assertive_server import AssertiveUser, template

X = "{{ request.path_params.x }}"
XY = "{{ request.path_params.x }},{{ request.path_params.y }}"

# The path of a stub, the target of a request as it is sent, a template, and what it makes unless the path does not fit.
CASES = {
    "a segment": ("/users/{x}", "/users/42", X, "42"),
    "two segments": ("/users/{x}/orders/{y}", "/users/42/orders/7", XY, "42,7"),
    "a parameter alone": ("/{x}", "/users", X, "users"),
    "one segment more": ("/users/{x}", "/users/42/orders", X, None),
    "one segment less": ("/users/{x}", "/users", X, None),
    "a slash is no segment": ("/users/{x}", "/users/", X, None),
    "a slash at the end": ("/users/{x}", "/users/42/", X, "42"),
    "slashes at the end": ("/users/{x}", "/users/42//", X, "42"),
    "slashes at the start": ("/users/{x}", "//users/42", X, "42"),
    "slashes at the stub's end": ("//users/{x}//", "/users/42", X, "42"),
    "no slash in the stub": ("users/{x}", "/users/42", X, "42"),
    "the root": ("/", "/", "root", "root"),
    "no path but a query": ("/", "/?a=1", "root", "root"),
    "slashes in the middle": ("/a//b", "/a//b", "same", "same"),
    "slashes in the middle alone": ("/a/b", "/a//b", "same", None),
    "slashes in the middle of the stub": ("/a//b", "/a/b", "same", None),
    "capitals": ("/Users/{x}", "/users/42", X, None),
    "a captured capital": ("/users/{x}", "/users/Ab", X, "Ab"),
    "a blank in a literal": ("/a b", "/a%20b", "same", "same"),
    "a plus is no blank": ("/a b", "/a+b", "same", None),
    "an encoded literal never fits": ("/a%20b", "/a%20b", "same", None),
    "an encoded literal fits what is encoded twice": ("/a%20b", "/a%2520b", "same", "same"),
    "an encoded letter": ("/ab", "/%61b", "same", "same"),
    "a captured blank": ("/users/{x}", "/users/a%20b", X, "a b"),
    "captured letters": ("/users/{x}", "/users/zo%C3%AB", X, "zoë"),
    "an encoded slash is one": ("/f/{x}", "/f/a%2Fb", X, None),
    "an encoded slash parts segments": ("/f/{x}/{y}", "/f/a%2Fb", XY, "a,b"),
    "an encoded question mark": ("/f/{x}", "/f/a%3Fb", X, "a?b"),
    "an encoded question mark in a literal": ("/f/a?b", "/f/a%3Fb", "same", "same"),
    "an encoded hash": ("/f/{x}", "/f/a%23b", X, "a#b"),
    "an encoded hash before a query": ("/f/{x}", "/f/a%23b?y=1", X, "a#b"),
    "a part of a segment is no parameter": ("/pre-{x}", "/pre-42", "same", None),
    "a part of a segment is literal": ("/pre-{x}", "/pre-%7Bx%7D", "same", "same"),
    "a name twice keeps the last": ("/{x}/{x}", "/1/2", X, "2"),
    "a name may be anything": ("/{a b.c-d}", "/42", "{{ request.path_params['a b.c-d'] }}", "42"),
    "a name beside its braces": ("/{x}y", "/42", "same", None),
    "a query in the stub's path never fits": ("/s?a=1", "/s?a=1", "same", None),
    "a path with dots": ("/a/../b", "/a/../b", "same", "same"),
    "a captured value with dots": ("/v/{x}", "/v/1.2.3", X, "1.2.3"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_pattern_fits(scoped: AssertiveUser, name: str) -> None:
    pattern, target, said, wanted = CASES[name]
    scoped.stub({"path": pattern}, template(said))
    answer = scoped.write("GET", target)
    assert (answer.status, answer.body.decode()) == ((404, "NO_STUB_MATCH_FOUND") if wanted is None else (200, wanted))


def test_a_criterion_on_the_path_captures_nothing(scoped: AssertiveUser) -> None:
    scoped.stub({"path": {"$regex": {"pattern": "/users/[0-9]+$"}}}, template("{{ request.path_params | length }}"))
    assert scoped.said("GET", "/users/42") == (200, "0")
    assert scoped.ask("GET", "/users/me").status_code == 404


@pytest.mark.parametrize(("target", "seen"), [("/a%20b", "/a b"), ("/a/", "/a/"), ("/zo%C3%AB", "/zoë")])
def test_a_criterion_sees_the_path_decoded_with_its_slashes(scoped: AssertiveUser, target: str, seen: str) -> None:
    scoped.stub({"path": {"$eq": {"value": seen}}})
    assert scoped.write("GET", target).status == 200


def test_a_criterion_has_no_patterns(scoped: AssertiveUser) -> None:
    scoped.stub({"path": {"$eq": {"value": "/users/{x}"}}})
    assert scoped.ask("GET", "/users/42").status_code == 404
    assert scoped.write("GET", "/users/%7Bx%7D").status == 200
