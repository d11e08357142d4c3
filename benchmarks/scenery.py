"""What the servers of the proxy's rows hold, known to the server that is set up and to the load that asks it."""

from collections.abc import Iterator

from understudy.v1.project_service_pb2 import Redaction

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

# A browser's, of an application with a login: eleven with Host.
MANY_HEADERS = HEADERS | {
    "Accept": "application/json, text/plain, */*",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Authorization": "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjdXNfNzcwMTQyIn0.c2lnbmF0dXJl",
    "Cookie": "theme=dark; consent=all; cart=9f2c6a1e7d; sid=s%3A0f1b7c4e2a9d4d7c8d5e.1mJ2",
    "Referer": "https://shop.example.com/checkout/payment",
    "Cache-Control": "no-cache",
    "X-Requested-With": "XMLHttpRequest",
}

# The same mock, asked for with something to mask in a header, in the query, and in the body of its answer.
PROXIED_SECRET_PATH = f"{PROXIED_MOCKED_PATH}?token=9f2c6a1e7d"
SECRET_HEADERS = HEADERS | {"X-Tenant": "blue", "Authorization": "Bearer eyJhbGciOiJFZERTQSJ9"}
MASKED = Redaction(headers=["x-tenant"], query=["token"], json_paths=["$.customer.name"])

# What the sample of a new store has, in the same project and environment: a mock and its answer, and a scenario.
SAMPLE_MOCK, SAMPLE_SCENARIO = "ovr_extraMock", "scn_paymentDeclined"
CART_PATH, CART_BODY = f"{_PREFIX}/api/cart", b'{"items":[],"total":0,"currency":"EUR"}'
PAY_PATH, DECLINED_BODY = f"{_PREFIX}/api/pay", b'{"error":"card_declined","message":"The card was declined."}'


def delayed_sessions(count: int) -> Iterator[tuple[str, int]]:
    """Keys of sessions, each with its delay in ms: 300 to 700, 500 in the mean. One that gets another's is seen so."""
    return ((f"late-{number}", 300 + 100 * (number % 5)) for number in range(count))


# What `TURN` stands for in a load makes as many requests differ as there are sessions or mocks.
TURN_KEY, TURN_ID, TURN_PATH = "ci-TURN", "ovr_turn_TURN", "/api/orders/TURN/items"
TURN_BODY = MOCKED_BODY.replace(b"ord_1001", b"ord_TURN")
