"""Which base URLs an environment takes for its real service."""

import pytest
from support.desk import Desk
from understudy.v1 import project_service_pb2 as pb
from understudy.v1.project_service_pb2 import Environment, EnvironmentChanges
from understudy_server.proxy.forwarding import parse_upstream

GOOD = [
    "http://localhost",
    "https://staging.example.com",
    "https://staging.example.com/",
    "http://10.0.0.1:8080/base/path",
    "http://host:1",
    "http://host:65535",
    "http://my_host-1.internal/a%20b/@v1/~x",
    "http://[::1]",
    "https://[2001:db8::1]:8443/base",
    "http://[::ffff:10.0.0.1]:80",
]
BAD = [
    "staging.example.com",
    "ftp://host",
    "HTTP://host",
    "http://",
    "http:///path",
    "http://user@host",
    "http://user:secret@host",
    "http://host?x=1",
    "http://host/path?x=1",
    "http://host#top",
    "http://host/#top",
    "http://host:",
    "http://host:port",
    "http://host:0",
    "http://host:65536",
    "http://host:99999",
    "http://host:123456",
    "http://[::1",
    "http://::1",
    "http://[::::]",
    "http://[1.2.3.4]",
    "http://[fe80::1%25eth0]",
    "http://höst",
    "http://host/pfäd",
    "http://ho st",
    "http://host/a b",
    "http://host\\path",
    "http://host/\r\nX: y",
    "http://host\n",
    " http://host",
    "http://" + "h" * 2048,
]


@pytest.mark.parametrize("url", GOOD)
async def test_a_base_url_is_taken_and_the_proxy_can_read_it(desk: Desk, url: str) -> None:
    request = pb.CreateEnvironmentRequest(environment=Environment(slug="new", upstream=url))
    made = await desk.call("ProjectService.CreateEnvironment", request, pb.CreateEnvironmentResponse)
    assert made.environment.upstream == url
    assert parse_upstream(url) is not None


@pytest.mark.parametrize("url", BAD)
async def test_what_is_no_base_url_is_refused_when_made(desk: Desk, url: str) -> None:
    request = pb.CreateEnvironmentRequest(environment=Environment(slug="new", upstream=url))
    problem = await desk.refused("ProjectService.CreateEnvironment", request)
    assert (problem.reason, problem.field) == ("invalid_field", "environment.upstream")


@pytest.mark.parametrize("url", BAD)
async def test_what_is_no_base_url_is_refused_in_a_change(desk: Desk, url: str) -> None:
    request = pb.UpdateEnvironmentRequest(changes=EnvironmentChanges(upstream=url))
    problem = await desk.refused("ProjectService.UpdateEnvironment", request)
    assert (problem.reason, problem.field) == ("invalid_field", "changes.upstream")


async def test_no_upstream_is_needed(desk: Desk) -> None:
    request = pb.CreateEnvironmentRequest(environment=Environment(slug="new"))
    assert await desk.code("ProjectService.CreateEnvironment", request) == ""
