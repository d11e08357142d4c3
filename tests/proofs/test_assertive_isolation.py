"""100 scopes at one path, each with an answer and a number of calls of its own: nobody gets or counts another's.

That this check finds leaks is shown in test_isolation.
"""

import random

import pytest
from support.assertive_server import AssertiveUser, running_assertive, template, text
from support.isolation import Crowd, Sent, Tally
from support.proofs import new_seed, report, scaled

SCOPES = 100
CALLS = scaled(50_000)
# Every call of none is listed in each scope: the lists of these are read whole, those of the others are counted.
LISTED_EVERY = 20
PATH = "/api/echo"
ANSWERS = {f"scope-{number}": f"of scope-{number}" for number in range(SCOPES)}


class ScopeCrowd(Crowd):
    """The key is the name of a header, in any case and with any value."""

    def _request(self, sent: Sent, dice: random.Random) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", "host: app", f"content-length: {len(sent.body)}"]
        if sent.key:
            name = dice.choice((sent.key, sent.key.upper(), sent.key.title()))
            lines.insert(dice.randint(1, len(lines)), f"{name}: {dice.choice(('1', '', 'scope-0'))}")
        return "\r\n".join([*lines, "", sent.body]).encode()


@pytest.mark.timeout(900)
async def test_no_scope_is_ever_given_or_counts_what_is_anothers() -> None:
    seed = new_seed()
    with running_assertive() as server:
        user = server.user
        user.stub({"path": PATH}, template("{{ request.body }}"))
        for name, answer in ANSWERS.items():
            assert user.ask("POST", "/__mock__/scopes", json={"name": name}).status_code == 201
            in_scope(user, name).stub({"path": PATH}, text(answer))
        tally = await ScopeCrowd(server.address, PATH, ANSWERS, seed).check(CALLS)
        miscounted = [name for name in ANSWERS if not counts(in_scope(user, name), tally)]
        foreign = [
            name for name in list(ANSWERS)[::LISTED_EVERY] if not lists_only_its_own(in_scope(user, name), tally)
        ]
    report(
        "assertive isolation",
        scopes=SCOPES,
        calls=tally.sent.total(),
        in_no_scope=tally.sent[""],
        wrong_answers=len(tally.wrong),
        scopes_miscounted=len(miscounted),
        lists_with_others=len(foreign),
        seed=seed,
    )
    assert tally.sent.total() == CALLS
    assert tally.wrong == []
    assert miscounted == []
    assert foreign == []


def in_scope(user: AssertiveUser, name: str) -> AssertiveUser:
    return AssertiveUser(user.http, user.address, name)


def counts(user: AssertiveUser, tally: Tally) -> bool:
    """Tell whether a scope counts its own calls and those of none, and no other."""
    wanted = tally.sent[user.scope] + tally.sent[""]
    return user.asserts(path=PATH, times={"$eq": {"value": wanted}})


def lists_only_its_own(user: AssertiveUser, tally: Tally) -> bool:
    """Tell whether a scope lists its own calls and then those of none, and no other."""
    scopes = [each["scope"] for each in user.requests(PATH)]
    return scopes == [user.scope] * tally.sent[user.scope] + [None] * tally.sent[""]
