"""A project with something in it."""

from support.server import Answering, MadePlace, Server


def furnished(server: Server, upstream: str = "") -> MadePlace:
    """A project with the environment staging, and in it:

    the mocks ovr_cart, ovr_pay and ovr_draft (not published); the scenario scn_declined with its own ovr_declined; the
    scenario scn_empty with ovr_cart.
    """
    place = server.make_place("staging", upstream=upstream)
    place.make_scenario("scn_declined", name="Payment declined")
    declined = '{"error": "card_declined"}'
    place.make_answers(
        Answering("ovr_cart", "GET", "/api/cart", '{"cart": "mocked"}'),
        Answering("ovr_pay", "POST", "/api/pay", '{"pay": "mocked"}'),
        Answering("ovr_draft", "GET", "/api/cart", '{"cart": "draft"}', publish=False),
        Answering("ovr_declined", "POST", "/api/pay", declined, status=402, scenario="scn_declined"),
    )
    place.make_scenario("scn_empty", "ovr_cart", name="Empty cart")
    return place
