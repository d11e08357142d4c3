"""A mock's matcher, compiled: every part that is given must hold."""

from dataclasses import dataclass

from understudy_server.core.matching.criteria import Criterion
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request


@dataclass(frozen=True, slots=True)
class Matcher:
    """Tests of a request. ``None`` and empty stand for "any": method, path, body, and no criteria on the query."""

    method: str = ""
    path: PathPattern | None = None
    query: tuple[tuple[str, Criterion], ...] = ()
    body: Criterion | None = None

    def matches(self, request: Request) -> bool:
        """Tell whether all of it holds."""
        return (
            self.method in ("", request.method)
            and (self.path is None or self.path.matches(request.segments))
            and self.content_matches(request)
        )

    def content_matches(self, request: Request) -> bool:
        """Tell whether the criteria on query and body hold: what an index by method and path leaves to test."""
        if self.query and not all(self._parameter_matches(request, name, test) for name, test in self.query):
            return False
        return self.body is None or self.body.holds_for_body(request)

    @staticmethod
    def _parameter_matches(request: Request, name: str, criterion: Criterion) -> bool:
        return any(criterion.holds_for_text(value) for value in request.parameters().get(name, ()))
