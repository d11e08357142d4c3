"""Manifests of many mocks, as a message and as a file. Two revisions differ in every mock, and in nothing else."""

from collections.abc import Iterator

from understudy.v1.manifest_service_pb2 import ApplyManifestRequest

from benchmarks.scenery import ENVIRONMENT, PROJECT

_SOURCE = "bench.yaml"


def mock_id(number: int) -> str:
    return f"ovr_bench{number}"


def mock_path(number: int) -> str:
    """A path that the mock of a number answers, and no other."""
    return f"/api/v1/orders-{number}/items"


def mock_body(number: int, revision: int) -> bytes:
    """What it answers."""
    return b'{"order":%d,"status":"approved","items":[{"sku":"A-1","count":2}],"revision":%d}' % (number, revision)


def _pattern(number: int) -> str:
    return f"/api/v1/orders-{number}/:list" if number % 2 else mock_path(number)


def manifest_request(mocks: int, revision: int) -> ApplyManifestRequest:
    """So many mocks in the environment of the scenery, which is made elsewhere; half of them have a parameter."""
    # As the command asks, which shows a hundred changes and counts them all.
    request = ApplyManifestRequest(changes_max=100)
    request.manifest.source = _SOURCE
    project = request.manifest.projects[PROJECT]
    environment = project.environments[ENVIRONMENT]
    project.existing = environment.existing = True
    for number in range(mocks):
        mock = environment.mocks[mock_id(number)]
        mock.matcher.method, mock.matcher.path = "GET", _pattern(number)
        mock.action.respond.headers.add(name="x-reason", value="bench")
        mock.action.respond.json = mock_body(number, revision).decode()
    return request


def manifest_text(mocks: int, revision: int) -> str:
    """The same as a file, written as one would by hand."""
    return "\n".join(_lines(mocks, revision)) + "\n"


def _lines(mocks: int, revision: int) -> Iterator[str]:
    yield f"source: {_SOURCE}"
    yield from ("projects:", f"  {PROJECT}:", "    existing: true", "    environments:")
    yield from (f"      {ENVIRONMENT}:", "        existing: true", "        mocks:")
    for number in range(mocks):
        yield f"          {mock_id(number)}:"
        yield f"            matcher: GET {_pattern(number)}"
        yield "            action:"
        yield "              respond:"
        yield "                headers: {x-reason: bench}"
        yield f"                json: {mock_body(number, revision).decode()}"
