"""What the servers of the proxy's rows hold, known to the server that is set up and to the load that asks it."""

from collections.abc import Iterator

PROJECT, ENVIRONMENT, KEY = "checkout", "staging", "ci-42"
_PREFIX = f"/{PROJECT}/{ENVIRONMENT}"

# Two bodies of one size, so that a mock's answer and the upstream's cost the same to write, and cannot be confused.
MOCKED_BODY = b'{"id":"ord_1001","status":"approved","currency":"EUR","total":1180,"items":[{"sku":"A-1","count":2}],'
MOCKED_BODY += b'"customer":{"id":"cus_770142","name":"Ada"},"receipt":"r-1001","source":"the_mock"}'
UPSTREAM_BODY = MOCKED_BODY.replace(b"the_mock", b"upstream")

MOCKED_PATH, REAL_PATH = "/api/orders/1001", "/api/real"
PROXIED_MOCKED_PATH, PROXIED_REAL_PATH = _PREFIX + MOCKED_PATH, _PREFIX + REAL_PATH

# A mock's answer again, made for each request: with two of the three values from the path, and one from the query.
TEMPLATED_PATH = "/api/made/:id"
TEMPLATE = MOCKED_BODY.decode()
TEMPLATE = TEMPLATE.replace("1001", "{{ request.path_params.id }}").replace("EUR", "{{ request.query.currency }}")
PROXIED_TEMPLATED_PATH = f"{_PREFIX}/api/made/1001?currency=EUR"

# With Host, which every client sends, these are the four headers of a request.
HEADERS = {"x-flowmock-session": KEY, "Accept": "application/json", "User-Agent": "bench/1"}


def delayed_sessions(count: int) -> Iterator[tuple[str, int]]:
    """Keys of sessions, each with its delay in ms: 300 to 700, 500 in the mean. One that gets another's is seen so."""
    return ((f"late-{number}", 300 + 100 * (number % 5)) for number in range(count))
