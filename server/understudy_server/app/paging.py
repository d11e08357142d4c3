"""Page tokens: opaque to callers, to us the name of the last row and a mark of the question that was asked.

A token that is given to another list, or to the same one with other filters, would start somewhere by chance and leave
out rows without a word. So it is refused, as any text is that this server did not give.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import blake2b

from google.protobuf.message import Message

from understudy_server.app.call import Place
from understudy_server.core.errors import Fault, InvalidInput

# How a token is laid out. One of another layout, from before an update, is refused.
_LAYOUT = b"2"
# The mark tells mistakes apart and is no secret: whoever makes up a token only asks for another page.
_MARK_BYTES = 6
_PAGE_FIELDS = ("page_token", "page_size", "before", "limit")
# A key that is for one place may leave its name out of one call and not of the next.
_PLACE_FIELDS = ("project", "environment")


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one list as it is asked for. ``mark`` tells it from all others."""

    mark: bytes

    def token_after(self, name: str) -> str:
        """The token of the page that starts after a name."""
        return base64.urlsafe_b64encode(_LAYOUT + self.mark + name.encode()).rstrip(b"=").decode()

    def name_before(self, token: str) -> str:
        """The name that a token starts after; empty for no token. Raises InvalidInput for one not of this list."""
        if not token:
            return ""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            name = raw[len(_LAYOUT) + len(self.mark) :].decode()
        except (binascii.Error, ValueError):
            name = ""
        # Only the one spelling that we give counts: base64 has others for the same bytes.
        if self.token_after(name) != token:
            message = (
                "page_token is not one that this server gave for this list and these filters; ask without it first"
            )
            raise InvalidInput(message, Fault("page_token", "token", given=token[:100]))
        return name


def pages(place: Place, request: Message, *, but: tuple[str, ...] = ()) -> Pages:
    """The pages that a request for a list asks for: of this list, this place and these filters, all ``but`` some."""
    filters = type(request)()
    filters.CopyFrom(request)
    for name in (*_PAGE_FIELDS, *_PLACE_FIELDS, *but):
        if name in request.DESCRIPTOR.fields_by_name:
            filters.ClearField(name)
    asked = blake2b(digest_size=_MARK_BYTES)
    for part in (request.DESCRIPTOR.full_name, place.project_id, place.environment_id):
        asked.update(part.encode() + b"\0")
    asked.update(filters.SerializeToString(deterministic=True))
    return Pages(asked.digest())
