"""What of the gateway is made when it is first asked for."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from support import synthetic
from support.rest import FakeBackend, client
from understudy_gateway import pages
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge import door
from understudy_gateway.transcoding.contract import Contract, services_of_understudy, understudy
from understudy_gateway.transcoding.fields import UnsupportedField
from understudy_gateway.transcoding.operations import compile_routes


def test_the_contract_that_is_served_is_the_one_that_is_documented() -> None:
    served, documented = services_of_understudy(), understudy()
    assert sorted(each.full_name for each in served.services) == sorted(each.full_name for each in documented.services)


def test_a_route_is_worked_out_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise UnsupportedField("it has no form over HTTP")

    monkeypatch.setattr("understudy_gateway.transcoding.operations.ResponseEncoder", refuse)
    contract = Contract((synthetic.service(),))
    with pytest.raises(UnsupportedField):
        compile_routes(contract)
    operation = compile_routes(contract, whole=False).find("PURGE", b"/things/a").target
    with pytest.raises(UnsupportedField):
        _ = operation.response


async def test_the_pages_are_made_beside_the_event_loop_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made_by: list[int] = []
    build = pages.build_pages

    def noted(*arguments: object) -> object:
        made_by.append(threading.get_ident())
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pages, "build_pages", noted)
    async with client(build_app(FakeBackend())) as http:
        assert made_by == []
        for _ in range(2):
            assert (await http.get("/docs")).status_code == 200
    assert len(made_by) == 1
    assert made_by[0] != threading.get_ident()


class _Makers:
    """Makes FlagBridge's door in a thread, when it is let go; ``made`` counts, and the first ones may ``fail``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail: int = 0) -> None:
        self.made, self.fail, self.go = 0, fail, threading.Event()
        monkeypatch.setattr(door, "Door", self._make(door.Door))

    def _make(self, build: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            assert self.go.wait(20)
            self.made += 1
            if self.made <= self.fail:
                raise RuntimeError("it cannot be made")
            return build(*arguments)

        return noted


async def test_first_requests_that_come_together_share_one_door(monkeypatch: pytest.MonkeyPatch) -> None:
    makers = _Makers(monkeypatch)
    async with client(build_app(FakeBackend())) as http:
        asked = [asyncio.ensure_future(http.get("/v1/health")) for _ in range(20)]
        # All of them wait now.
        await asyncio.sleep(0)
        makers.go.set()
        statuses = {each.status_code for each in await asyncio.gather(*asked)}
    assert (statuses, makers.made) == ({200}, 1)


async def test_a_client_that_goes_away_takes_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    makers = _Makers(monkeypatch)
    async with client(build_app(FakeBackend())) as http:
        first, second = [asyncio.ensure_future(http.get("/v1/health")) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        makers.go.set()
        assert (await second).status_code == 200
    assert makers.made == 1


async def test_what_could_not_be_made_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    makers = _Makers(monkeypatch, fail=1)
    makers.go.set()
    async with client(build_app(FakeBackend())) as http:
        with pytest.raises(RuntimeError):
            await http.get("/v1/health")
        assert (await http.get("/v1/health")).status_code == 200
