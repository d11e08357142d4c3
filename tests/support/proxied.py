"""An app under test: HTTP requests through the proxy, with or without a session key."""

import httpx
from support.plain_http import NO_TLS


class App:
    """Calls one environment through the proxy."""

    def __init__(self, proxy: str, project: str, environment: str) -> None:
        self._client = httpx.Client(base_url=f"http://{proxy}/{project}/{environment}", timeout=60, verify=NO_TLS)

    def send(
        self, method: str, path: str, key: str | None = None, content: bytes = b"", **headers: str
    ) -> httpx.Response:
        if key is not None:
            headers["x-flowmock-session"] = key
        return self._client.request(method, path, headers=headers, content=content)

    def cart(self, key: str | None = None) -> str:
        """What the cart says: ``mocked``, or ``real`` when the service answered."""
        answer: str = self.send("GET", "/api/cart", key).json()["cart"]
        return answer

    def pay(self, key: str | None = None) -> httpx.Response:
        return self.send("POST", "/api/pay", key, b'{"amount": 1}')

    def close(self) -> None:
        self._client.close()
