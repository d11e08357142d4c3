"""What is expected of calls: checked and compiled."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.verification_service_pb2 import Expectation

from understudy_server.app.beside import beside
from understudy_server.app.unusable_input import refusing_unusable
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.verification import Bounds, Expected
from understudy_server.core.verification_words import words_of
from understudy_server.definitions.matchers import compile_matcher

T = TypeVar("T")

_QUICK: Final = frozenset(("method", "path"))


async def matcher_of(message: RequestMatcher, path: str) -> Matcher:
    """Compile a matcher for calls on record; ``path`` is that of the message. Raises InvalidInput.

    Criteria on state are refused: what was kept between requests is another thing by now.
    """
    return await _aside([message], lambda: _compiled(message, path))


async def expected_of(message: Expectation, path: str) -> Expected:
    """Compile one expectation. Raises InvalidInput."""
    return await _aside([message.matcher], lambda: _expected(message, path))


async def all_expected(messages: Sequence[Expectation], path: str) -> list[Expected]:
    """Compile expectations, of which there is one at least. Raises InvalidInput."""
    if not messages:
        raise InvalidInput(f"{path} is empty: say what is expected", Fault(path, "min_items", "1"))
    return await _aside(
        [each.matcher for each in messages],
        lambda: [_expected(each, f"{path}[{at}]") for at, each in enumerate(messages)],
    )


async def _aside(matchers: Iterable[RequestMatcher], work: Callable[[], T]) -> T:
    """Compile, beside the event loop if there are criteria: a thousand patterns take a second."""
    if all({field.name for field, _ in each.ListFields()} <= _QUICK for each in matchers):
        return work()
    return await beside(work)


def _compiled(message: RequestMatcher, path: str) -> Matcher:
    if message.state:
        field = f"{path}.state"
        raise InvalidInput(
            f"{field} cannot be looked at: what was kept when a call came is not on record", Fault(field, "unsupported")
        )
    with refusing_unusable():
        return compile_matcher(message, path, prepared=True)


def _expected(message: Expectation, path: str) -> Expected:
    bounds = _bounds(message, path)
    matcher = _compiled(message.matcher, f"{path}.matcher")
    return Expected(matcher, bounds, words_of(matcher, message.matcher.path), message.name)


def _bounds(message: Expectation, path: str) -> Bounds:
    if message.HasField("exactly"):
        for other in ("at_least", "at_most"):
            if message.HasField(other):
                field = f"{path}.exactly"
                raise InvalidInput(
                    f"{field} stands in place of {path}.{other}: give one of them", Fault(field, "exclusive", other)
                )
        return Bounds(message.exactly, message.exactly)
    if not message.HasField("at_most"):
        return Bounds(message.at_least if message.HasField("at_least") else 1)
    if message.at_most < message.at_least:
        field = f"{path}.at_most"
        complaint = f"{field} is {message.at_most}, less than at_least, which is {message.at_least}"
        raise InvalidInput(complaint, Fault(field, "min", str(message.at_least), str(message.at_most)))
    return Bounds(message.at_least, message.at_most)
