"""What an orchestrator asks, without a key: whether the process lives, and whether it takes work."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from understudy_gateway.readiness import Ready
from understudy_gateway.transcoding.json_encode import dump


def health_routes(ready: Ready) -> Sequence[Route]:
    """The routes ``/health/live`` and ``/health/ready``."""

    async def live_page(_request: Request) -> Response:
        return _json(200, {"status": "ok"})

    async def ready_page(_request: Request) -> Response:
        problems = await ready()
        is_ready = not any(problems.values())
        checks = [{"name": name, "ok": not problem, "problem": problem} for name, problem in problems.items()]
        body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
        return _json(200 if is_ready else 503, body)

    return [Route("/health/live", live_page), Route("/health/ready", ready_page)]


def _json(status: int, value: object) -> Response:
    return Response(dump(value), status, {"cache-control": "no-store"}, media_type="application/json")
