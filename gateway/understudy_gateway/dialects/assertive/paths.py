"""Paths of stubs, made into patterns of ours.

Slashes at both ends do not count, a segment that is exactly `{name}` stands for any, and all else is literal: what
would mean something in one of our patterns is percent-encoded. So is a percent sign, since the product compares with
what is decoded.
"""

import re
from typing import Final
from urllib.parse import quote

_PARAMETER: Final = re.compile(r"\{([^{}]+)\}", re.DOTALL)
# What a segment of a path may hold as it is (RFC 3986, section 3.3), without the colon, which begins a parameter.
_PLAIN: Final = "!$&'()*+,;=@-._~"


def pattern(path: str) -> str:
    """Write the pattern that matches what a stub's path matches."""
    return "/" + "/".join(map(_segment, path.strip("/").split("/")))


def _segment(segment: str) -> str:
    found = _PARAMETER.fullmatch(segment)
    return quote(segment, safe=_PLAIN) if found is None else "{" + quote(found[1], safe=_PLAIN) + "}"
