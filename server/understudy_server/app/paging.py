"""Page tokens: opaque to callers, the name of the last row to us."""

import base64
import binascii

from understudy_server.core.errors import Fault, InvalidInput


def token_after(name: str) -> str:
    """The token of the page that starts after a name."""
    return base64.urlsafe_b64encode(b"1" + name.encode()).rstrip(b"=").decode()


def name_before(token: str) -> str:
    """The name that a token starts after; empty for no token. Raises InvalidInput for a token that is not ours."""
    if not token:
        return ""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    # Only the one spelling that we give counts: base64 has others for the same bytes.
    if not text.startswith("1") or token_after(text[1:]) != token:
        raise InvalidInput(
            "page_token is not one that this server gave", Fault("page_token", "token", given=token[:100])
        )
    return text[1:]
