"""Use cases that are imported with their first call."""

import inspect
import threading

import pytest
from support.dispatching import World
from understudy.options.v1.options_pb2 import ROLE_ADMIN
from understudy.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse
from understudy_server.rpc.late import Late
from understudy_server.rpc.table import Kind, Rpc, rpcs

LIST_PROJECTS = "/understudy.v1.ProjectService/ListProjects"


@pytest.mark.parametrize("rpc", rpcs().values(), ids=lambda rpc: rpc.method.rpartition("/")[2])
def test_every_rpc_has_a_use_case_that_takes_what_its_kind_gives(rpc: Rpc) -> None:
    late = rpc.use_case
    late.load()
    parameters = 2 if rpc.kind in (Kind.ASKS, Kind.STREAMS) else 3
    assert len(inspect.signature(late.found).parameters) == parameters


def test_a_table_is_made_without_any_of_them() -> None:
    assert not [rpc.method for rpc in rpcs().values() if rpc.use_case.found]


async def test_the_first_call_imports_beside_the_event_loop(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    imported_by: list[int] = []
    load = Late.load

    def noted(late: Late) -> None:
        imported_by.append(threading.get_ident())
        load(late)

    metadata = {"authorization": f"Bearer {await here.make_key(ROLE_ADMIN)}"}
    monkeypatch.setattr(Late, "load", noted)
    for _ in range(2):
        answer = await here.dispatcher.unary(LIST_PROJECTS, metadata, lambda: (ListProjectsRequest(), None))
        assert isinstance(answer, ListProjectsResponse)
    assert len(imported_by) == 1
    assert imported_by[0] != threading.get_ident()


@pytest.mark.parametrize("place", ["nowhere.at_all", "sessions.nothing"])
def test_a_use_case_that_is_not_there_is_an_error(place: str) -> None:
    with pytest.raises((ImportError, AttributeError)):
        Late(place).load()
