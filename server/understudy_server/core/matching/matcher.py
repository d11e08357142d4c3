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

    @property
    def has_criteria(self) -> bool:
        """Whether it looks at more than method and path."""
        return bool(self.query) or self.body is not None

    def matches(self, request: Request) -> bool:
        """Tell whether all of it holds. Raises BodyWanted when that depends on a body that is not here yet."""
        return (
            self.method in ("", request.method)
            and (self.path is None or self.path.matches(request.segments()))
            and self.content_matches(request)
        )

    def content_matches(self, request: Request) -> bool:
        """Tell whether the criteria on query and body hold: what an index by method and path leaves to test.

        The body is looked at last, and only when all else holds. Raises BodyWanted as `matches` does.
        """
        for name, criterion in self.query:
            if not _parameter_matches(request, name, criterion):
                return False
        return self.body is None or self.body.holds_for_body(request)


def _parameter_matches(request: Request, name: str, criterion: Criterion) -> bool:
    return any(criterion.holds_for_text(value) for value in request.parameters().get(name, ()))
