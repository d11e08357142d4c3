"""Making answers: what all kinds of them have in common."""

from typing import Protocol

from understudy_server.core.responding.plan import Events, Forward
from understudy_server.core.responding.prepared import Prepared
from understudy_server.core.templating.running import Run

TEMPLATE_FAILED = "template_failed"
"""The code of an answer whose template failed."""


class CannotAnswer(Exception):
    """The answer cannot be made. ``code`` and the message are those of `plan.Failed`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Maker(Protocol):
    """Makes an answer of one kind. ``counts``, ``wants_body`` and ``repeats`` as of an `Answerer`."""

    @property
    def counts(self) -> bool: ...

    @property
    def wants_body(self) -> bool: ...

    @property
    def repeats(self) -> bool: ...

    def make(self, run: Run) -> Prepared | Events | Forward:
        """Make the answer. Raises CannotAnswer, `templating.faults.Fault`."""
