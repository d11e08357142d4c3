"""The one way to read a session key, used by every door and every carrier."""

from understudy_server.core.headers import text_of

LENGTH_MAX_CHARACTERS = 200


def normalise(raw: str) -> str:
    """Remove CR and LF, trim white space, keep the first 200 characters, trim the end again (so that it is idempotent).

    An empty result means "no key". Equality of results is equality of keys: case counts.
    Source: the FlowMock contract on session keys.
    """
    if len(raw) <= LENGTH_MAX_CHARACTERS and raw.isprintable():
        # The usual key, in half the time: nothing to remove or to cut, and the only white space it can hold are spaces.
        return raw.strip()
    return raw.replace("\r", "").replace("\n", "").strip()[:LENGTH_MAX_CHARACTERS].rstrip()


def key_of(raw: bytes) -> str:
    """Read the key that a header's value is."""
    return normalise(text_of(raw))
