"""The limits of the REST door, for one connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one connection may ask for."""

    head_bytes_max: int = 65_536
    """Request line and headers together."""

    header_lines_max: int = 100

    request_seconds: float = 30
    """From the connection, or the end of the request before, to the end of a request that has begun."""
