"""All flags at once over the protocol, and only when they have changed."""

from collections.abc import Callable

import httpx
import pytest
from support.management import Operator

Ask = Callable[..., httpx.Response]
pytestmark = pytest.mark.usefixtures("flagged")


def test_all_flags_are_told_in_the_order_of_their_keys(ask: Ask) -> None:
    answer = ask(context={"targetingKey": "user-1"})
    flags = answer.json()["flags"]
    assert (answer.status_code, list(answer.json())) == (200, ["flags"])
    assert [(each["key"], each["reason"]) for each in flags] == [
        ("checkout", "DEFAULT"),
        ("color", "DEFAULT"),
        ("limits", "DEFAULT"),
        ("nobody", "SPLIT"),
        ("off", "DISABLED"),
        ("some", "SPLIT"),
    ]
    assert {each["key"]: each["value"] for each in flags}["limits"] == {"max": [1, None]}


def test_one_that_fails_leaves_the_others_as_they_are(ask: Ask) -> None:
    flags = {each["key"]: each for each in ask().json()["flags"]}
    assert flags["some"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert flags["checkout"]["value"] is True


def test_what_has_not_changed_is_not_sent_again(ask: Ask, auth: str, operator: Operator) -> None:
    tag = ask().headers["etag"]
    headers = {"authorization": auth, "if-none-match": tag}

    same = ask(headers=headers)
    operator.do("PutFlagState", flagKey="off", state={"enabled": True})
    changed = ask(headers=headers)

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


def test_a_session_has_a_tag_of_its_own(ask: Ask, auth: str, operator: Operator) -> None:
    operator.do("PutSession", sessionKey="ci-42", flags={"checkout": False, "beside": 1})
    tag = ask().headers["etag"]
    found = ask(headers={"authorization": auth, "if-none-match": tag, "x-flowmock-session": "ci-42"})
    flags = {each["key"]: each for each in found.json()["flags"]}
    assert (flags["checkout"]["value"], flags["beside"]["value"]) == (False, 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", "PARSE_ERROR"), (b"[]", "PARSE_ERROR"), (b'{"context":1}', "INVALID_CONTEXT")],
)
def test_what_is_wrong_has_a_code_and_no_key(ask: Ask, content: bytes, code: str) -> None:
    answer = ask(content=content)
    assert (answer.status_code, answer.json()["errorCode"], "key" in answer.json()) == (400, code, False)


def test_without_a_key_nothing_is_told(ask: Ask) -> None:
    assert ask(headers={}).status_code == 401
