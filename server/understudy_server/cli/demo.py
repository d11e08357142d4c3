"""The main job of Understudy, played on a server of its own: each step shown, each answer checked."""

import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    DeleteSessionRequest,
    DeleteSessionResponse,
    PutSessionRequest,
    PutSessionResponse,
)

from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.demo_stage import API_PATH, APP_PATH, PLACE, Stage, check
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.sample_names import ENVIRONMENT, OVERRIDE, PROJECT, SCENARIO
from understudy_server.cli.serve import running
from understudy_server.cli.settings import Settings

KEY = "ci-42"
GRPC_KEY = "ci-43"
DELAY_MS = 300
_PAYMENT = '{"amount":1180}'
_HERE = {"project": PROJECT, "environment": ENVIRONMENT}

Step = Callable[[Stage], Awaitable[None]]


async def play(write: Callable[[str], None]) -> None:
    """Play all steps, one line of transcript at a time. Raises CommandFailed that names the step that failed."""
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        free = Address(LOOPBACK, 0)
        settings = Settings(data=Path(folder), grpc=free, rest=free, proxy=free)
        write("A whole server, on free ports, with its data in a temporary directory:\n")
        async with running(settings, lambda line: write(f"   {line}")) as server:
            write(f"\n   API=http://{server.rest}{API_PATH}")
            write(f"   APP=http://{server.proxy}{APP_PATH}   # what the app under test calls instead of staging")
            write(f"   KEY={server.first_key}\n")
            for number, (title, step) in enumerate(STEPS, start=1):
                write(f"{number}. {title}\n")
                await _checked(number, title, step, Stage(server, write))
                write("")
    write(f"Done: {len(STEPS)} steps, every answer as promised, the server stopped and its data removed.")


async def _checked(number: int, title: str, step: Step, stage: Stage) -> None:
    try:
        await step(stage)
    # Whatever went wrong, the user wants to know in which step.
    except Exception as error:
        raise CommandFailed(ExitCode.REFUSED, f"demo step {number} failed ({title}): {error}") from error


async def put_into_scenario(stage: Stage) -> None:
    """PUT the session; the answer is its whole state."""
    answer = await stage.api("PUT", f"/sessions/{KEY}", _HERE | {"scenario": SCENARIO, "label": "CI run 4821"})
    check("the session is set", answer.status, 200)
    check("the scenario is active", json.loads(answer.body)["scenario"], SCENARIO)


async def pay_with_and_without(stage: Stage) -> None:
    """The same request twice: only the key makes the difference."""
    mocked = await stage.app("POST", "/api/pay", session_key=KEY, body=_PAYMENT)
    check("the payment with the key is declined", mocked.status, 402)
    real = await stage.app("POST", "/api/pay", body=_PAYMENT)
    check("the payment without a key reaches the service", real.status, 200)
    check("the service approves it", json.loads(real.body)["status"], "approved")


async def pass_through(stage: Stage) -> None:
    """What no mock of the session names goes to the service, key or not."""
    answer = await stage.app("GET", "/api/cart", session_key=KEY)
    check("the cart comes from the service", (answer.status, json.loads(answer.body)["total"]), (200, 1180))


async def switch_override(stage: Stage) -> None:
    """One more mock for this session alone."""
    answer = await stage.api("POST", f"/sessions/{KEY}/overrides/{OVERRIDE}?{PLACE}")
    check("the mock is on", json.loads(answer.body), {"overrideId": OVERRIDE, "active": True})
    empty = await stage.app("GET", "/api/cart", session_key=KEY)
    check("the cart is empty with the key", json.loads(empty.body)["items"], [])
    full = await stage.app("GET", "/api/cart")
    check("the cart is the service's without it", json.loads(full.body)["total"], 1180)


async def delay(stage: Stage) -> None:
    """A slow network, for this session alone."""
    answer = await stage.api("PUT", f"/sessions/{KEY}", _HERE | {"globalDelayMs": DELAY_MS})
    check("the delay is set", json.loads(answer.body)["globalDelayMs"], DELAY_MS)
    slow = await stage.app("GET", "/health", session_key=KEY)
    check("the answer with the key is the service's", slow.status, 200)
    check(f"it took at least {DELAY_MS} ms", slow.took_ms >= DELAY_MS, wanted=True)
    other = await stage.app("GET", "/health")
    check("the answer without the key is the service's too", other.status, 200)


async def read_logs(stage: Stage) -> None:
    """What the app really did, and one body as it was sent."""
    answer = await stage.api("GET", f"/sessions/{KEY}/logs?{PLACE}", digest=_log_digest)
    rows = json.loads(answer.body)["logs"]
    seen = [(row["method"], row["path"], row["status"], row["overrideApplied"]) for row in reversed(rows)]
    wanted = [
        ("POST", "/api/pay", 402, True),
        ("GET", "/api/cart", 200, False),
        ("GET", "/api/cart", 200, True),
        ("GET", "/health", 200, False),
    ]
    check("the log has the four requests with the key, and no others", seen, wanted)
    body = await stage.api("GET", f"/logs/{rows[-1]['id']}/body?side=request")
    check("the body is what the app sent", body.body, _PAYMENT)


def _log_digest(text: str) -> str:
    """One line for each row, newest first, of the fields that tell the story."""
    fields = ("method", "path", "status", "durationMs", "overrideApplied", "overrideId")
    rows = [{name: row[name] for name in fields} for row in json.loads(text)["logs"]]
    return "\n          ".join(['{"logs":[   (some fields of each)', *map(json.dumps, rows)]) + "]}"


async def reset(stage: Stage) -> None:
    """Back to nothing special; the session stays."""
    answer = await stage.api("DELETE", f"/sessions/{KEY}?{PLACE}")
    check("the session is reset", json.loads(answer.body), {"ok": True, "mode": "reset"})
    real = await stage.app("POST", "/api/pay", session_key=KEY, body=_PAYMENT)
    check("the payment reaches the service again", real.status, 200)


async def delete(stage: Stage) -> None:
    """Nothing is left behind."""
    answer = await stage.api("DELETE", f"/sessions/{KEY}?{PLACE}&mode=delete")
    check("the session is deleted", json.loads(answer.body), {"ok": True, "mode": "delete"})
    gone = await stage.api("GET", f"/sessions/{KEY}?{PLACE}")
    check("the session is gone", (gone.status, json.loads(gone.body)["code"]), (404, "not_found"))


async def over_grpc(stage: Stage) -> None:
    """The other door to the same state."""
    async with stage.rpc_channel() as channel:
        rpc = stage.rpc(channel)
        stage.write(f"   > SessionService/PutSession  session_key: {GRPC_KEY}  scenario: {SCENARIO}")
        asked = PutSessionRequest(session_key=GRPC_KEY, project=PROJECT, environment=ENVIRONMENT, scenario=SCENARIO)
        session = (await rpc.call(asked, PutSessionResponse)).session
        stage.write(f"     session: {session.session_key}  scenario: {session.scenario}  revision: {session.revision}")
        check("the scenario is active", session.scenario, SCENARIO)
        mocked = await stage.app("POST", "/api/pay", session_key=GRPC_KEY, body=_PAYMENT)
        check("the payment is declined", mocked.status, 402)
        stage.write(f"   > SessionService/DeleteSession  session_key: {GRPC_KEY}  mode: DELETE_MODE_DELETE")
        ending = DeleteSessionRequest(
            session_key=GRPC_KEY, project=PROJECT, environment=ENVIRONMENT, mode=DELETE_MODE_DELETE
        )
        gone = await rpc.call(ending, DeleteSessionResponse)
        stage.write(f"     ok: {str(gone.ok).lower()}")
        check("the session is deleted", gone.ok, wanted=True)


STEPS: Sequence[tuple[str, Step]] = (
    (f'The pipeline puts session {KEY} into the scenario "Payment declined".', put_into_scenario),
    ("The app pays: with the key a mock answers, without it the real service does.", pay_with_and_without),
    ("What no mock names passes through, with the key too.", pass_through),
    ("The pipeline switches one more mock on, for this session alone.", switch_override),
    (f"The pipeline makes everything {DELAY_MS} ms slow, for this session alone.", delay),
    ("The pipeline reads what happened: only requests with the key, mocked or not, and one body.", read_logs),
    ("The pipeline resets the session: the next payment is real.", reset),
    ("The pipeline deletes it: nothing is left behind.", delete),
    ("The same over gRPC, with the same key on the same state.", over_grpc),
)
