"""Whether an exchange on record is a call that a matcher fits: judged by what was kept of its request.

A part of the matcher that looks at something masked, or at a body that was not kept whole, may be impossible to judge.
The call fits when all parts hold, it does not when one fails, whatever of the others cannot be judged, and else it is
undecided. What takes too many steps is undecided too: in traffic it did not match, but who asks for evidence is not
told that something is not there because it was too much work to look.
"""

from collections.abc import Generator, Sequence
from enum import Enum
from typing import Final, TypeVar

from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.headers import first, values
from understudy_server.core.matching.criteria_selecting import holds_for_one
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mismatch import Code, Judged
from understudy_server.core.matching.parts import AllHeadersPart, AllQueryPart, BodyPart, CookiePart, Part
from understudy_server.core.matching.request import OVERLONG, Body, Request
from understudy_server.core.matching.values import MISSING, Json, Text, Value
from understudy_server.core.matching.work import TurnOver
from understudy_server.core.redaction import MARKER
from understudy_server.core.steps import STEPS_MAX, Steps, TooManySteps
from understudy_server.core.verification_hidden import Told, any_told, told_of_json, told_of_unseen

QUESTION_STEPS_MAX: Final = 20_000_000
"""So many steps all tests of one question may take (some 2 s); what is left over then is undecided."""

_MARK: Final = MARKER.decode()

T = TypeVar("T")


class Fit(Enum):
    """Whether a matcher fits a call."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class Recorded:
    """An exchange as matchers see it, and what of it is hidden. It is made once for all matchers of a question."""

    __slots__ = ("_body", "hides_cookies", "is_masked", "request")

    def __init__(self, exchange: Exchange) -> None:
        body = self._body = exchange.request_body
        self.request = Request(
            exchange.method,
            exchange.path,
            exchange.query,
            _kept(body),
            headers=exchange.request_headers,
            host=_host_name((first(exchange.request_headers, b"host") or b"").decode("latin-1")),
        )
        # A long body is read as JSON in parts, where others wait.
        self.request.in_turns = True
        self.hides_cookies = any(MARKER in value for value in values(exchange.request_headers, b"cookie"))
        self.is_masked = _mark_in_head(exchange) or bool(body is not None and (body.truncated or body.redacted))

    @property
    def body_is_cut(self) -> bool:
        """Whether nothing or only the beginning is kept of the body."""
        return self._body is not None and (self._body.truncated or bool(self._body.sha256))

    @property
    def body_is_masked(self) -> bool:
        """Whether values in the body are masked."""
        return self._body is not None and bool(self._body.redacted)


def fit(matcher: Matcher, recorded: Recorded, budget: Steps) -> Fit:
    """Judge one call, in one go. ``budget``: as `fit_in_parts`."""
    return _result_of(fit_in_parts(matcher, recorded, budget))


def fit_in_parts(matcher: Matcher, recorded: Recorded, budget: Steps) -> Generator[None, None, Fit]:
    """Judge one call. ``budget`` are the steps of the whole question, of which this one has `STEPS_MAX` at most.

    It yields where others may go first: between parts, and while a long body is read as JSON. It returns what it found.
    """
    request = recorded.request
    if matcher.method not in ("", request.method):
        return Fit.NO
    if matcher.path is not None and not matcher.path.matches(request.segments()):
        return Fit.NO
    if not matcher.parts:
        return Fit.YES
    steps = Steps(min(STEPS_MAX, budget.left))
    given = steps.left
    found = Fit.YES
    for part in matcher.parts:
        told = yield from _told_in_parts(part, recorded, steps)
        if told is False:
            found = Fit.NO
            break
        if told is None:
            found = Fit.UNDECIDED
        yield
    budget.left -= given - steps.left
    return found


def distance_in_parts(matcher: Matcher, recorded: Recorded) -> Generator[None, None, Judged]:
    """How far a call is from being fitted, and what does not hold: without what would only be guessed from a mask.

    It yields where others may go first, and returns what was found.
    """
    judged = None
    while judged is None:
        try:
            judged = yield from matcher.judge_in_parts(recorded.request)
        except TurnOver:
            yield from _read_on(recorded)
    if not recorded.is_masked:
        return judged
    seen = [each for each in judged.mismatches if _MARK not in each.actual and each.code != Code.BODY_TOO_LARGE.value]
    return judged._replace(mismatches=tuple(seen))


def _told_in_parts(part: Part, recorded: Recorded, steps: Steps) -> Generator[None, None, Told]:
    while True:
        try:
            return _told(part, recorded, steps)
        except TurnOver:
            yield from _read_on(recorded)


def _read_on(recorded: Recorded) -> Generator[None, None, None]:
    while not recorded.request.go_on():
        yield


def _told(part: Part, recorded: Recorded, steps: Steps) -> Told:
    try:
        if not steps.left:
            return None
        if isinstance(part, CookiePart) and recorded.hides_cookies:
            # Which cookies there were is not known, nor that there was this one.
            return None
        if isinstance(part, BodyPart):
            return _told_of_body(part, recorded, steps)
        found = part.values(recorded.request)
        if not recorded.is_masked:
            return holds_for_one(found, part.criterion, steps)
        if isinstance(part, AllQueryPart | AllHeadersPart):
            return told_of_json(part.criterion, _whole(part, recorded), steps)
        return _told_of_masked(part, found, steps)
    except TooManySteps:
        return None


def _told_of_masked(part: Part, found: Sequence[Value], steps: Steps) -> Told:
    return any_told(
        [
            told_of_unseen(part.criterion) if _is_marked(each) else part.criterion.holds(each, steps)
            for each in found or (MISSING,)
        ]
    )


def _told_of_body(part: BodyPart, recorded: Recorded, steps: Steps) -> Told:
    if recorded.body_is_cut:
        return told_of_unseen(part.criterion, is_empty=False)
    (value,) = part.values(recorded.request)
    if recorded.body_is_masked:
        return told_of_json(part.criterion, value, steps)
    return part.criterion.holds(value, steps)


def _whole(part: Part, recorded: Recorded) -> Value:
    """All values of a kind as an object, in which what is masked in part is masked whole."""
    (value,) = part.values(recorded.request)
    members = value.json(Steps())
    return Json({name: _MARK if _MARK in each else each for name, each in members.items()})


def _is_marked(value: Value) -> bool:
    text = value.text()
    return isinstance(value, Text) and isinstance(text, str) and _MARK in text


def _kept(body: Captured | None) -> Body:
    if body is None:
        return b""
    return OVERLONG if body.truncated or body.sha256 else body.content


def _mark_in_head(exchange: Exchange) -> bool:
    return _MARK in exchange.query or any(MARKER in value for _, value in exchange.request_headers)


def _host_name(authority: str) -> str:
    """The name of an authority, in lower case, without a port and without the dot of a rooted name."""
    name, colon, port = authority.lower().rpartition(":")
    if not colon or not port.isdigit():
        name = authority.lower()
    return name.removesuffix(".")


def _result_of(work: Generator[None, None, T]) -> T:
    """Do work in one go."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
