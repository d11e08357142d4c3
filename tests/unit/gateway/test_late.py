"""What of the gateway is made when it is first asked for."""

import threading

import pytest
from support import synthetic
from support.rest import FakeBackend, client
from understudy_gateway import pages
from understudy_gateway.app import build_app
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
