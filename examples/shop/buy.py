"""The app under test: it buys what is in the cart, and says how that went.

    python buy.py URL [--session KEY]

URL is the shop's own address, or the proxy's. Ends with 0 when the shop took the money.
"""

import argparse
import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def call(url: str, session: str, body: object = None) -> dict:
    headers = {"x-flowmock-session": session} if session else {}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, headers), timeout=30) as answer:  # noqa: S310 - the URL is the user's own
            return json.load(answer)
    except HTTPError as error:
        return json.load(error)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--session", default="")
    given = parser.parse_args()
    cart = call(f"{given.url}/api/cart", given.session)
    if not cart["items"]:
        print("The cart is empty.")
        return 1
    for item in cart["items"]:
        print(f"{item['quantity']} x {item['name']}")
    paid = call(f"{given.url}/api/pay", given.session, {"amount": cart["total"]})
    if paid.get("status") == "approved":
        print(f"Paid {cart['total'] / 100:.2f} {cart['currency']}, receipt {paid['receipt']}.")
        return 0
    print(paid.get("message", "The payment failed."))
    return 1


if __name__ == "__main__":
    sys.exit(main())
