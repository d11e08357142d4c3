"""What a strict environment says to whoever it refuses: where the key is to stand."""

import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.proxying import body_of, get, running, status_of
from understudy_server.core.carriers import Carrier, CarrierKind


@pytest.mark.parametrize(
    ("carriers", "where"),
    [
        ((), "the header x-flowmock-session"),
        ((Carrier(CarrierKind.COOKIE, "sid"),), "the header x-flowmock-session or the cookie sid"),
        (
            (Carrier(CarrierKind.QUERY, "run"), Carrier(CarrierKind.JWT_CLAIM, "user.session")),
            "the header x-flowmock-session, the query parameter run or the claim user.session of the bearer token",
        ),
        (
            (Carrier(CarrierKind.HEADER, "x-run"), Carrier(CarrierKind.BAGGAGE, "run")),
            "the header x-flowmock-session, the header x-run or the member run of the baggage header",
        ),
    ],
)
async def test_a_request_without_a_key_is_told_where_to_send_it(carriers: tuple[Carrier, ...], where: str) -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(strict=True, carriers=carriers)})
    async with running(source) as proxy:
        answer = await proxy.ask(get("/x"))
    assert status_of(answer) == 400
    assert json.loads(body_of(answer)) == {
        "error": f"This environment takes no request without a session key. Send it in {where}.",
        "code": "session_required",
    }
