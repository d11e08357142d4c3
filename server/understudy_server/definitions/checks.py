"""What is refused of a mock that somebody sends: what could not be compiled, and what no field's own limits show."""

from collections.abc import Collection
from typing import Protocol

from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy.v1.state_pb2 import STATE_SCOPE_CHAIN, Lifetime, MachineStep

from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.profiles import Profile
from understudy_server.definitions.actions import check_action, file_names_of, is_plain
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.proxy_headers import check_headers
from understudy_server.definitions.unusable import Unusable

# Whatever their values are, these can be compiled.
_SIMPLE_TESTS = frozenset(("equals", "json_subset"))
_SIMPLE_PARTS = frozenset(("method", "path", "query", "body"))


class Definition(Protocol):
    """What is defined of a mock, whichever message says it: of the API, of a manifest, or of a session."""

    @property
    def matcher(self) -> RequestMatcher: ...

    @property
    def action(self) -> Action: ...

    @property
    def lifetime(self) -> Lifetime: ...

    @property
    def machine(self) -> MachineStep: ...

    @property
    def chain(self) -> str: ...

    def HasField(self, name: str, /) -> bool: ...  # noqa: N802 - as messages spell it


def check_mock(
    mock: Definition,
    path: str,
    file_names: Collection[str] | None = None,
    profile: Profile = Profile.FLOWMOCK,
) -> None:
    """Refuse what cannot be compiled. ``path`` is that of the message. Raises Unusable.

    ``file_names`` and ``profile`` are those of the environment; ``None``: the files are not known, and not looked at.
    What most mocks are made of costs next to nothing, for a manifest may have a hundred thousand of them.
    """
    if not _is_simple(mock.matcher):
        compile_matcher(mock.matcher, f"{path}.matcher", chain=mock.chain)
    check_headers(mock.action, f"{path}.action")
    if not is_plain(mock.action):
        known = file_names_of(mock.action) if file_names is None else file_names
        parameters = PathPattern.parse(mock.matcher.path).names if mock.matcher.path else ()
        check_action(mock.action, f"{path}.action", known, chain=mock.chain, parameters=parameters, profile=profile)
    if mock.HasField("lifetime"):
        _check_lifetime(mock, f"{path}.lifetime")
    if mock.HasField("machine"):
        _check_machine(mock, f"{path}.machine")


def _is_simple(matcher: RequestMatcher) -> bool:
    for field, value in matcher.ListFields():
        name = field.name
        if name not in _SIMPLE_PARTS:
            return False
        if name == "query" and not all(map(_is_simple_test, value.values())):
            return False
        if name == "body" and not _is_simple_test(value):
            return False
    return True


def _is_simple_test(criterion: Criterion) -> bool:
    test = criterion.WhichOneof("test")
    return test in _SIMPLE_TESTS and not criterion.ignore_case and not criterion.ignore_order


def _check_lifetime(mock: Definition, path: str) -> None:
    lifetime = mock.lifetime
    if lifetime.uses_per == STATE_SCOPE_CHAIN and not mock.chain:
        raise _no_chain(f"{path}.uses_per")
    if lifetime.not_after_ms and lifetime.not_after_ms <= lifetime.not_before_ms:
        field = f"{path}.not_after_ms"
        raise Unusable(field, "order", f"{field} is not after not_before_ms", str(lifetime.not_after_ms))


def _check_machine(mock: Definition, path: str) -> None:
    if not mock.machine.machine:
        raise Unusable(f"{path}.machine", "required", f"{path}.machine is required")
    if mock.machine.scope == STATE_SCOPE_CHAIN and not mock.chain:
        raise _no_chain(f"{path}.scope")


def _no_chain(field: str) -> Unusable:
    return Unusable(field, "chain", f"{field} is chain, and the mock belongs to none", "chain")
