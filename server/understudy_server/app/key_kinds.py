"""The kinds of keys: Understudy's own, which have a role, and FlagBridge's, which have a scope."""

from collections.abc import Callable
from typing import Final

from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_CI, Role
from understudy.v1.key_service_pb2 import (
    KEY_KIND_FLAGBRIDGE,
    KEY_KIND_NATIVE,
    KEY_SCOPE_EVAL,
    KEY_SCOPE_FULL,
    KEY_SCOPE_MGMT,
    KEY_SCOPE_TEST,
    KEY_SCOPE_UNSPECIFIED,
    CreateKeyRequest,
    KeyKind,
    KeyScope,
)

from understudy_server.app.call import Call
from understudy_server.core import keys
from understudy_server.core.errors import Fault, Forbidden, InvalidInput
from understudy_server.core.keys import Caller

_OF_ONE_PROJECT = (KEY_SCOPE_EVAL, KEY_SCOPE_TEST)
_NATIVE: Final = frozenset({KEY_SCOPE_UNSPECIFIED})
_FLAGBRIDGES: Final = frozenset({KEY_SCOPE_EVAL, KEY_SCOPE_TEST, KEY_SCOPE_MGMT, KEY_SCOPE_FULL})
_EVERY: Final = _NATIVE | _FLAGBRIDGES


def check_kind(call: Call, request: CreateKeyRequest) -> None:
    """Raise InvalidInput when kind, role and scope do not go together, Forbidden for a caller of another kind."""
    if request.kind == KEY_KIND_FLAGBRIDGE:
        if not request.scope:
            raise InvalidInput("scope is required with the kind flagbridge", Fault("scope", "required"))
        if request.scope in _OF_ONE_PROJECT and not request.project:
            raise InvalidInput("project is required with this scope", Fault("project", "required"))
        return
    if request.scope:
        raise InvalidInput("scope goes with the kind flagbridge alone", Fault("scope", "exclusive"))
    if not request.role:
        raise InvalidInput("role is required", Fault("role", "required"))
    if call.caller.scope:
        raise Forbidden("scope_mismatch", "a key of the kind flagbridge makes none of another kind")


def scopes_of(kind: KeyKind) -> frozenset[int]:
    """The scopes that keys of a kind have, 0 for none at all; of every kind when it is unspecified."""
    return {KEY_KIND_NATIVE: _NATIVE, KEY_KIND_FLAGBRIDGE: _FLAGBRIDGES}.get(kind, _EVERY)


def scopes_within(caller: Caller) -> frozenset[int]:
    """The scopes of the keys that a caller may manage, 0 for none at all, as far as these are of the caller's place.

    Those that manage flags do so in their whole project, whatever environment they are for.
    """
    if caller.scope:
        return _FLAGBRIDGES
    return _NATIVE | frozenset(_OF_ONE_PROJECT) if caller.environment_id else _EVERY


def kind_of(scope: KeyScope) -> KeyKind:
    """The kind of a key with a scope, or without one."""
    return KEY_KIND_FLAGBRIDGE if scope else KEY_KIND_NATIVE


def role_of(request: CreateKeyRequest) -> Role:
    """The role of the key to make. That of a scope is wide enough for all that the scope allows."""
    if not request.scope:
        return request.role
    return ROLE_CI if request.scope in _OF_ONE_PROJECT else ROLE_ADMIN


def text_for(scope: KeyScope, random_bytes: Callable[[int], bytes]) -> str:
    """The text of a new key with a scope, or without one."""
    if not scope:
        return keys.make_text(random_bytes)
    return keys.make_scoped_text(KeyScope.Name(scope).removeprefix("KEY_SCOPE_").lower(), random_bytes)
