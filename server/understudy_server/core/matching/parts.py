"""The parts of a request that a matcher looks at, beside method and path pattern: where each one's values come from.

A name that was sent several times has several values, of which one must do; a name that was not sent has none, and then
the criterion is put to a value that is not there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from understudy_server.core.matching.criteria import Criterion, Equals, JsonSubset
from understudy_server.core.matching.criteria_selecting import holds_for_one, judge_for_one
from understudy_server.core.matching.mismatch import HOLDS, Code, Judged, Mismatch
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import MISSING, Body, Json, Text, Value
from understudy_server.core.matching.wording import step
from understudy_server.core.matching.work import Work
from understudy_server.core.state import ABSENT, Scope
from understudy_server.core.steps import Steps, TooManySteps

Test = Callable[[Request], bool]

WEIGHTS: Final = {"path": 79, "method": 37, "headers": 2, "body": 17, "host": 7, "query": 3}
"""The parts of a request that orders of precedence know, and what they weigh. Source: Assertive, ranking."""

# Each takes longer than one of those that decide.
_STEPS_TO_EXPLAIN: Final = 8_500


@dataclass(frozen=True, slots=True)
class Part(ABC):
    """A criterion, and what of a request it is on."""

    criterion: Criterion

    counts_as: ClassVar[str] = ""
    """Which of the parts it is that orders of precedence know (`WEIGHTS`); empty for none."""

    @property
    @abstractmethod
    def field(self) -> str:
        """Its path in a matcher, with a dot before it."""

    @abstractmethod
    def values(self, request: Request) -> Sequence[Value]:
        """The values to test."""

    def test(self) -> Test:
        """What tells whether it holds, as quick as can be. It raises BodyWanted for a body that is not here yet."""
        return self.holds

    def holds(self, request: Request) -> bool:
        """Tell whether it holds. What takes too many steps does not. Raises TurnOver."""
        values, criterion = self.values(request), self.criterion
        return request.work.test(lambda steps: holds_for_one(values, criterion, steps), self)

    def judge(self, request: Request, work: Work) -> Judged:
        """Tell what does not hold, with no more work than to decide. Raises BodyWanted.

        What takes too many steps to be told in full is told in short: to explain takes more of them than to decide.
        """
        values, steps = self.values(request), work.steps()
        if not steps.left:
            return self._failed("", Code.TOO_MANY_STEPS)
        try:
            if holds_for_one(values, self.criterion, steps):
                return HOLDS
        except TooManySteps:
            return self._failed("", Code.TOO_MANY_STEPS)
        finally:
            work.spent(steps)
        try:
            return judge_for_one(values, self.criterion, Steps(_STEPS_TO_EXPLAIN)).within(self.field)
        except TooManySteps:
            return self._failed(values[0].shown() if values else "", Code.DIFFERS)

    def _failed(self, actual: str, code: Code) -> Judged:
        return Judged(1.0, (Mismatch(self.field, self.criterion.words(), actual, code.value, 1.0),))


@dataclass(frozen=True, slots=True)
class QueryPart(Part):
    """On a query parameter."""

    counts_as: ClassVar[str] = "query"

    name: str

    @property
    def field(self) -> str:
        return f".query{step(self.name)}"

    def values(self, request: Request) -> Sequence[Value]:
        return [Text(each) for each in request.parameters().get(self.name, ())]

    def test(self) -> Test:
        name, criterion = self.name, self.criterion
        if isinstance(criterion, Equals):
            wanted = criterion.text
            return lambda request: wanted in request.parameters().get(name, ())
        if isinstance(criterion, JsonSubset):
            contains = criterion.holds_for_text
            return lambda request: any(map(contains, request.parameters().get(name, ())))
        return self.holds


@dataclass(frozen=True, slots=True)
class HeaderPart(Part):
    """On a header, by its name in lower case."""

    counts_as: ClassVar[str] = "headers"

    name: str

    @property
    def field(self) -> str:
        return f".headers{step(self.name)}"

    def values(self, request: Request) -> Sequence[Value]:
        return [Text(each) for each in request.header(self.name.encode())]

    def test(self) -> Test:
        name, criterion = self.name.encode(), self.criterion
        if isinstance(criterion, Equals):
            wanted = criterion.text
            return lambda request: wanted in request.header(name)
        return self.holds


@dataclass(frozen=True, slots=True)
class CookiePart(Part):
    """On a cookie."""

    counts_as: ClassVar[str] = "headers"

    name: str

    @property
    def field(self) -> str:
        return f".cookies{step(self.name)}"

    def values(self, request: Request) -> Sequence[Value]:
        return [Text(each) for each in request.cookies().get(self.name, ())]


@dataclass(frozen=True, slots=True)
class MethodPart(Part):
    """On the method."""

    counts_as: ClassVar[str] = "method"
    field: ClassVar[str] = ".method_criterion"

    def values(self, request: Request) -> Sequence[Value]:
        return (Text(request.method),)


@dataclass(frozen=True, slots=True)
class PathPart(Part):
    """On the path as a text."""

    counts_as: ClassVar[str] = "path"
    field: ClassVar[str] = ".path_criterion"

    def values(self, request: Request) -> Sequence[Value]:
        return (Text(request.decoded_path()),)


@dataclass(frozen=True, slots=True)
class HostPart(Part):
    """On the host."""

    counts_as: ClassVar[str] = "host"
    field: ClassVar[str] = ".host"

    def values(self, request: Request) -> Sequence[Value]:
        return (Text(request.host),) if request.host else ()


@dataclass(frozen=True, slots=True)
class AllQueryPart(Part):
    """On all query parameters as an object: the last value of each."""

    counts_as: ClassVar[str] = "query"
    field: ClassVar[str] = ".all_query"

    def values(self, request: Request) -> Sequence[Value]:
        return (Json({name: values[-1] for name, values in request.parameters().items()}),)


@dataclass(frozen=True, slots=True)
class AllHeadersPart(Part):
    """On all headers as an object, with names in lower case: the first value of each."""

    counts_as: ClassVar[str] = "headers"
    field: ClassVar[str] = ".all_headers"

    def values(self, request: Request) -> Sequence[Value]:
        by_name = request.values_by_header()
        return (Json({name.decode("latin-1"): values[0] for name, values in by_name.items()}),)


@dataclass(frozen=True, slots=True)
class StatePart(Part):
    """On what is kept between requests. ``chain`` is the mock's; ``at``: which of the matcher's it is, from 0."""

    scope: Scope
    key: str
    chain: str = ""
    at: int = 0

    @property
    def field(self) -> str:
        return f".state[{self.at}]"

    def holds(self, request: Request) -> bool:
        # What is kept may be another thing in the next turn.
        kept, criterion = self._kept(request), self.criterion
        values = _values_of(kept)
        return request.work.test(lambda steps: holds_for_one(values, criterion, steps), self, kept)

    def values(self, request: Request) -> Sequence[Value]:
        return _values_of(self._kept(request))

    def _kept(self, request: Request) -> Any:
        find = request.state_value
        return ABSENT if find is None else find(self.scope, self.key, self.chain)


@dataclass(frozen=True, slots=True)
class BodyPart(Part):
    """On the body."""

    counts_as: ClassVar[str] = "body"
    field: ClassVar[str] = ".body"

    def values(self, request: Request) -> Sequence[Value]:
        body = Body.of(request)
        return (MISSING if body is None else body,)

    def test(self) -> Test:
        return self.criterion.holds_for_body

    def judge(self, request: Request, work: Work) -> Judged:
        if not isinstance(request.content(), bytes):
            return self._failed("", Code.BODY_TOO_LARGE)
        return Part.judge(self, request, work)


def _values_of(kept: Any) -> Sequence[Value]:
    return (MISSING if kept is ABSENT else Json(kept),)
