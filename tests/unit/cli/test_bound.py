import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.cli.addresses import Address
from understudy_server.cli.bound import BoundListener, read_bound

SLUGS = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,3})?", fullmatch=True)
ADDRESSES = st.builds(Address, st.sampled_from(["127.0.0.1", "::1", "localhost"]), st.integers(0, 65_535))
LISTENERS = st.builds(BoundListener, st.builds("{}/{}".format, SLUGS, SLUGS), ADDRESSES)


def test_listeners_are_read_in_their_order() -> None:
    assert read_bound("checkout/staging=127.0.0.1:8081, checkout/qa=:8082") == (
        BoundListener("checkout/staging", Address("127.0.0.1", 8081)),
        BoundListener("checkout/qa", Address("127.0.0.1", 8082)),
    )


def test_a_place_is_a_project_and_an_environment() -> None:
    assert read_bound("checkout/staging=0")[0].slugs == ("checkout", "staging")


@given(st.lists(LISTENERS, min_size=1, unique_by=lambda each: each.place))
def test_what_is_written_is_read(listeners: list[BoundListener]) -> None:
    assert read_bound(",".join(f"{each.place}={each.address}" for each in listeners)) == tuple(listeners)


@pytest.mark.parametrize(
    "text", ["", "8081", "checkout=8081", "checkout/staging", "Checkout/staging=1", "a/b/c=1", "/b=1", "a/=1", "a/b=1,"]
)
def test_what_binds_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="binds nothing: give PROJECT/ENVIRONMENT=ADDRESS, more after a comma"):
        read_bound(text)


def test_a_bad_address_is_refused() -> None:
    with pytest.raises(ValueError, match="'x' is not an address"):
        read_bound("a/b=x")


def test_an_environment_is_bound_once() -> None:
    with pytest.raises(ValueError, match="a/b is bound twice"):
        read_bound("a/b=1,a/b=2")
