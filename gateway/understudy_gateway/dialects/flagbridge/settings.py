"""What whoever runs the gateway decides of this dialect."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

from understudy_gateway.backend import Backend

BODY_BYTES_MAX: Final = 1024 * 1024
COMMENT_SECONDS: Final = 30.0


class Edition(StrEnum):
    """Which of the product's editions is played."""

    PRO = "pro"
    CE = "ce"


@dataclass(frozen=True, slots=True)
class Login:
    """The one user who may log in. ``secret`` signs the tokens.

    With another secret, of another process say, tokens of this one are worth nothing.
    """

    email: str
    password: str = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestsAMinute:
    """How many requests a key of each scope may make in a minute."""

    eval: int = 10_000
    test: int = 1_000
    mgmt: int = 500
    full: int = 500

    def __str__(self) -> str:
        """As a setting has it: ``eval=10000,test=1000,mgmt=500,full=500``."""
        return ",".join(f"{each.name}={self.of(each.name)}" for each in fields(self))

    def of(self, scope: str) -> int:
        """That of one scope, by its name. Raises AttributeError for what is none."""
        count: int = getattr(self, scope)
        return count


_REQUESTS: Final = RequestsAMinute()


@dataclass(frozen=True, slots=True)
class FlagBridgeSettings:
    """``trusted`` is a backend that trusts its caller: for whoever is logged in, and to look whether a project exists.

    Without it nobody logs in. ``clock`` gives milliseconds since 1970; ``comment_seconds`` is how long an event stream
    may be silent.
    """

    edition: Edition = Edition.PRO
    login: Login | None = None
    trusted: Backend | None = None
    requests_a_minute: RequestsAMinute = _REQUESTS
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    comment_seconds: float = COMMENT_SECONDS
    body_bytes_max: int = BODY_BYTES_MAX

    @property
    def is_pro(self) -> bool:
        return self.edition is Edition.PRO
