"""When a mock's time to live is over."""

from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.times import stamp


def set_expiry(mock: Mock, now_ms: int) -> None:
    """Count a mock's time to live from now on, if it has one."""
    if mock.lifetime.ttl_ms:
        mock.expires_at.CopyFrom(stamp(now_ms + mock.lifetime.ttl_ms))
    else:
        mock.ClearField("expires_at")
