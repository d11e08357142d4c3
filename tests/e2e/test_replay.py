"""``understudy replay`` to the proxy of a server on this machine, however the command reaches that server."""

import json
import urllib.request

import pytest
from e2e.conftest import Start, understudy

HERE = ("--project", "checkout", "--environment", "staging")


@pytest.mark.parametrize("over", ["data", "server"])
def test_a_request_goes_to_the_proxy_that_recorded_it(start: Start, over: str) -> None:
    server = start()
    way: tuple[str, ...] = ("--data", str(server.data))
    environ: dict[str, str] = {}
    if over == "server":
        made = understudy("key", "create", "--name", "ci", "--role", "admin", "--json", "--data", server.data)
        environ = {"UNDERSTUDY_SERVER": server.addresses["grpc"], "UNDERSTUDY_KEY": json.loads(made.stdout)["text"]}
        way = ()
    url = f"http://{server.addresses['proxy']}/checkout/staging/api/cart"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"x-flowmock-session": "ci-42"})) as answer:
        answer.read()
    listed = understudy("logs", "ci-42", "--json", *HERE, "--data", server.data)
    (row,) = json.loads(listed.stdout)["logs"]

    replayed = understudy("replay", row["id"], *HERE, *way, **environ)

    assert (replayed.returncode, replayed.stdout) == (0, f"{row['id']}: the same answer, 200\n")
