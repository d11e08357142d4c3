"""The ids of stubs, and of the mocks that they are.

A stub's id is any text; a mock's is `ovr_` and up to 64 letters, digits, `_` or `-`. What fits is written as it is, and
what does not in base64 behind `x--`.
"""

import base64
import re
from typing import Final

_PREFIX: Final = "ovr_"
_ENCODED: Final = "x--"
_FITS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_BYTES_MAX: Final = (64 - len(_ENCODED)) * 3 // 4
"""An id that does not fit as it is has at most so many bytes in UTF-8."""


class UnusableStubId(ValueError):
    """No mock can have this id. The message is for people."""


def mock_id(stub_id: str) -> str:
    """Return the id of the mock that a stub is. Raises UnusableStubId."""
    if _FITS.fullmatch(stub_id) and not stub_id.startswith(_ENCODED):
        return _PREFIX + stub_id
    try:
        content = stub_id.encode()
    except UnicodeEncodeError:
        raise UnusableStubId("the id holds half of a surrogate pair") from None
    if not content:
        raise UnusableStubId("the id is empty")
    if len(content) > _BYTES_MAX:
        complaint = f"the id is too long: at most 64 letters, digits, _ or -, or {_BYTES_MAX} bytes of other text"
        raise UnusableStubId(complaint)
    return _PREFIX + _ENCODED + base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def stub_id(mock_id: str) -> str:
    """Return the id of the stub that a mock is. One that no stub can have given its mock is shown as it stands."""
    name = mock_id.removeprefix(_PREFIX)
    return _decoded(name) or name


def _decoded(name: str) -> str:
    """What is encoded in the name of a mock; empty when nothing is, or when it has another spelling, too."""
    if not name.startswith(_ENCODED):
        return ""
    packed = name.removeprefix(_ENCODED)
    try:
        found = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
        return found if mock_id(found) == _PREFIX + name else ""
    except ValueError:
        return ""
