"""A project with something in it."""

from support.server import MadePlace, Server


def furnished(server: Server, upstream: str = "") -> MadePlace:
    """A project with the environment staging, and in it:

    the mocks ovr_cart, ovr_pay and ovr_draft (not published); the scenario scn_declined with its own ovr_declined; the
    scenario scn_empty with ovr_cart.
    """
    place = server.make_place("staging", upstream=upstream)
    place.make_answer("ovr_cart", "GET", "/api/cart", '{"cart": "mocked"}')
    place.make_answer("ovr_pay", "POST", "/api/pay", '{"pay": "mocked"}')
    place.make_answer("ovr_draft", "GET", "/api/cart", '{"cart": "draft"}', publish=False)
    place.make_scenario("scn_declined", name="Payment declined")
    place.make_answer(
        "ovr_declined", "POST", "/api/pay", '{"error": "card_declined"}', status=402, scenario="scn_declined"
    )
    place.make_scenario("scn_empty", "ovr_cart", name="Empty cart")
    return place
