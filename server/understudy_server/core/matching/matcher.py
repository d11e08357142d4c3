"""A mock's matcher, compiled: every part that is given must hold."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.distances import between_paths
from understudy_server.core.matching.mismatch import HOLDS, MISMATCHES_MAX, Code, Judged, Mismatch, cut, first_of
from understudy_server.core.matching.parts import WEIGHTS, BodyPart, Part, PathPart, QueryPart, StatePart, Test
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.work import Work

# How much path and method count beside one other part, where it is asked how far a request is from matching: a request
# to another path is rarely meant for this mock.
_PATH_COUNTS: Final = 4
_METHOD_COUNTS: Final = 2


@dataclass(frozen=True, slots=True)
class Matcher:
    """Tests of a request. ``None`` and empty stand for "any": method, path, body, and no criteria on anything else.

    ``query`` are criteria by name. ``others`` are those on all other parts of the head and on state, in the order in
    which they are looked at: behind the query and before the body.
    """

    method: str = ""
    path: PathPattern | None = None
    query: tuple[tuple[str, Criterion], ...] = ()
    body: Criterion | None = None
    others: tuple[Part, ...] = ()
    parts: tuple[Part, ...] = field(init=False, repr=False, compare=False)
    """All that is tested beside method and path pattern, in order."""

    content_matches: Test = field(init=False, repr=False, compare=False)
    """Tells whether all of ``parts`` hold: what an index by method and path leaves to test.

    The body is looked at last, and only when all else holds. Raises BodyWanted as `matches` does.
    """

    def __post_init__(self) -> None:
        parts: tuple[Part, ...] = ()
        if self.query or self.others or self.body is not None:
            body = () if self.body is None else (BodyPart(self.body),)
            parts = (*[QueryPart(criterion, name) for name, criterion in self.query], *self.others, *body)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "content_matches", _all_of([part.test() for part in parts]) if parts else _nothing)

    @property
    def has_criteria(self) -> bool:
        """Whether it looks at more than method and path pattern."""
        return bool(self.parts)

    # What an order of precedence asks (`core.profiles`): asked once for each place where a mock is switched on.

    @property
    def body_leaves(self) -> int:
        """How many values the criterion on the body asks for; 0 without one."""
        return self.body.leaves if self.body else 0

    @property
    def query_count(self) -> int:
        """How many criteria on the query it has."""
        return sum([part.counts_as == "query" for part in self.parts])

    @property
    def criteria_count(self) -> int:
        """How many criteria it has in all, beside method and path pattern; those that "all" joins count one by one."""
        return sum([part.criterion.conditions for part in self.parts])

    @property
    def fields_count(self) -> int:
        """At how many parts of a request it looks, of path, method, headers, body, host and query."""
        return len(self._looked_at())

    @property
    def weight(self) -> int:
        """What those parts weigh together: 79, 37, 2, 17, 7, 3."""
        return sum([WEIGHTS[name] for name in self._looked_at()])

    @property
    def looks_at_method(self) -> bool:
        """Whether it asks for a method, or has a criterion on it."""
        return "method" in self._looked_at()

    @property
    def looks_at_path_criterion(self) -> bool:
        """Whether it has a criterion on the path."""
        return any(isinstance(part, PathPart) for part in self.others)

    @property
    def looks_at_state(self) -> bool:
        """Whether it has criteria on what is kept between requests: then the same request may be told another thing."""
        return any(isinstance(part, StatePart) for part in self.others)

    def _looked_at(self) -> set[str]:
        found = {part.counts_as for part in self.parts if part.counts_as}
        if self.method:
            found.add("method")
        if self.path is not None:
            found.add("path")
        return found

    def matches(self, request: Request) -> bool:
        """Tell whether all of it holds. Raises BodyWanted when that depends on a body that is not here yet."""
        return (
            self.method in ("", request.method)
            and (self.path is None or self.path.matches(request.segments()))
            and self.content_matches(request)
        )

    # For explanations.

    def mismatches(self, request: Request) -> list[Mismatch]:
        """What does not hold, in the order in which it is looked at, at most 20. Raises BodyWanted."""
        return list(self.judge(request).mismatches)

    def distance(self, request: Request) -> float:
        """How far the request is from matching: 0 when it matches, and only then; at most 1. Raises BodyWanted."""
        return self.judge(request).distance

    def judge(self, request: Request) -> Judged:
        """Both at once. Raises BodyWanted.

        It has steps of its own, so that mocks can be compared; a request for which other mocks have used them up may so
        match here what it does not match in traffic.
        """
        judging = self.judge_in_parts(request)
        while True:
            try:
                next(judging)
            except StopIteration as done:
                judged: Judged = done.value
                return judged

    def judge_in_parts(self, request: Request) -> Generator[None, None, Judged]:
        """As `judge`; it yields between parts of the request, where others may go first. Raises TurnOver, too."""
        work = Work()
        judged: list[tuple[int, Judged]] = []
        if self.method:
            judged.append((_METHOD_COUNTS, self._judge_method(request)))
        if self.path is not None:
            judged.append((_PATH_COUNTS, self._judge_path(self.path, request)))
        for part in self.parts:
            judged.append((1, part.judge(request, work)))
            yield
        counted = sum([count for count, _ in judged])
        if not any(each.distance for _, each in judged):
            return HOLDS
        distance = sum([count * each.distance for count, each in judged]) / counted
        mismatches = first_of([each for _, each in judged])[:MISMATCHES_MAX]
        return Judged(distance, mismatches).within("matcher")

    def _judge_method(self, request: Request) -> Judged:
        if self.method == request.method:
            return HOLDS
        return _differs(".method", f"is {self.method}", request.method, 1.0)

    def _judge_path(self, path: PathPattern, request: Request) -> Judged:
        segments = request.segments()
        if path.matches(segments):
            return HOLDS
        distance = between_paths(path.segments, segments)
        return _differs(".path", f"is {_written(path)}", request.path, distance)


def _differs(name: str, expected: str, actual: str, distance: float) -> Judged:
    return Judged(distance, (Mismatch(name, cut(expected), cut(actual), Code.DIFFERS.value, distance),))


def _written(path: PathPattern) -> str:
    """A pattern for people: decoded, with parameters as `:name`."""
    names = iter(path.names)
    return "/" + "/".join([f":{next(names, 'name')}" if each is None else each for each in path.segments])


def _all_of(tests: Sequence[Test]) -> Test:
    """One test that does them all, of which there is one at least, up to the first that fails."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda request: first(request) and second(request)

    def every(request: Request) -> bool:
        for test in tests:  # noqa: SIM110 - twice as quick as a generator
            if not test(request):
                return False
        return True

    return every


def _nothing(_request: Request) -> bool:
    return True
