"""What a flag says in a session: the session's own value first, then the flag. The one way in for all doors."""

from collections.abc import Mapping
from typing import Final

from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.flags.model import ABSENT, Context, Evaluation, JsonValue, MaybeJson, Reason

NO_OVERRIDES: Final[Mapping[str, JsonValue]] = {}


def evaluate(
    flags: Mapping[str, CompiledFlag],
    flag_key: str,
    context: Context,
    overrides: Mapping[str, JsonValue] = NO_OVERRIDES,
) -> Evaluation:
    """Evaluate a flag. Never fails; one that does not exist is an answer too.

    ``flags`` are those of the environment, or, in a session that is frozen, those that were so when it was: a compiled
    flag never changes, so that keeping it is enough, and different users still get different answers. ``overrides``
    are the values that the session has set: one of them goes before everything, also where the flag is disabled or
    does not exist. Expired sessions have none, which is for the caller to see to.
    """
    flag = flags.get(flag_key)
    value = overrides.get(flag_key, ABSENT)
    if value is not ABSENT:
        return _overridden(flag_key, value, flag, context)
    return not_found(flag_key) if flag is None else flag.evaluate(context)


def not_found(flag_key: str) -> Evaluation:
    """What is said of a flag that does not exist."""
    return Evaluation(flag_key, enabled=False, value=ABSENT, reason=Reason.FLAG_NOT_FOUND)


def _overridden(flag_key: str, value: JsonValue, flag: CompiledFlag | None, context: Context) -> Evaluation:
    """A boolean says whether the flag is on. A text is a variant; so it is on, as it is with any other value."""
    is_text = isinstance(value, str)
    served: MaybeJson = flag.named(value) if is_text and flag is not None else value
    return Evaluation(
        flag_key,
        enabled=value if isinstance(value, bool) else True,
        value=served,
        reason=Reason.TEST_OVERRIDE,
        variant=value if is_text else None,
        would_have_been=not_found(flag_key) if flag is None else flag.evaluate(context),
    )
