"""For whom a flag is evaluated: the attributes as they were sent, and who the user is."""

from collections.abc import Mapping
from typing import Final

from understudy_server.core.flags.model import Context, JsonValue
from understudy_server.core.flags.values import text_of

USER_NAMES: Final = ("targetingKey", "userId", "user_id")
"""What the user is called: in OpenFeature's contract, in FlagBridge's, by its clients. The first one given counts.

OpenFeature's name stands for nothing but whom a flag is evaluated for; the others are attributes like any other there,
and FlagBridge does not know it.
"""


def context_of(given: Mapping[str, JsonValue]) -> Context:
    """A context of attributes. ``given`` is not kept.

    The user's id is a text or a number, which counts as its text; anything else, and an empty text, is no user. Rules
    may ask for the user by any of its names, whichever was sent.
    """
    attributes = dict(given)
    for name in USER_NAMES:
        found = attributes.get(name)
        if found is not None and (user_id := _user_id(found)):
            for other in USER_NAMES:
                if attributes.get(other) is None:
                    attributes[other] = found
            return Context(attributes, user_id)
    return Context(attributes)


def _user_id(value: JsonValue) -> str:
    return "" if isinstance(value, bool) else text_of(value) or ""
