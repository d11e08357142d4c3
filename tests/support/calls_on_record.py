"""Exchanges as they stand on record, short to make, for tests of what is asked about them."""

from understudy_server.core.exchange import Captured, Exchange, RawHeaders
from understudy_server.core.verification import Judgement

ENVIRONMENT = "env_staging"
SESSION = "ses_1"


def recorded_call(
    number: int = 1,
    target: str = "/pay",
    *,
    method: str = "POST",
    headers: RawHeaders = (),
    body: Captured | bytes | None = None,
    session_key: str = "ci-42",
    session_id: str = SESSION,
    environment_id: str = ENVIRONMENT,
    project_id: str = "prj_checkout",
) -> Exchange:
    """The exchange of that number, whose id sorts by it. A body of bytes is kept whole."""
    path, _, query = target.partition("?")
    return Exchange(
        id=f"log_{number:08}",
        project_id=project_id,
        environment_id=environment_id,
        session_key=session_key,
        session_id=session_id,
        method=method,
        path=path,
        query=query,
        status=200,
        started_at_ms=1_782_216_000_000 + number,
        duration_ms=3,
        mock_id="",
        request_headers=headers,
        response_headers=(),
        request_body=Captured(body, len(body), "application/json") if isinstance(body, bytes) else body,
        response_body=None,
        number=number,
    )


def take_in(judgement: Judgement, exchange: Exchange) -> None:
    """Have an exchange judged, in one go."""
    for _ in judgement.take_in_parts(exchange):
        pass
