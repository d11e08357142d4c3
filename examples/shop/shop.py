"""A small shop, as it might run anywhere: a cart, a stock and a way to pay. It knows nothing of Understudy.

It listens at port 9000, or at the one in SHOP_PORT.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

PORT = int(os.environ.get("SHOP_PORT", "9000"))
CART = {"items": [{"name": "Green tea", "quantity": 2, "price": 590}], "total": 1180, "currency": "EUR"}
receipts = count(1)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/api/cart":
            self.answer(200, CART)
        elif self.path.startswith("/api/stock/"):
            self.answer(200, {"sku": self.path.rpartition("/")[2], "left": 12})
        else:
            self.answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/api/pay":
            self.answer(200, {"status": "approved", "receipt": f"r-{next(receipts)}"})
        else:
            self.answer(404, {"error": "not_found"})

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    print(f"The shop is open at http://127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
