"""Rollouts and weights: who is in, by a hash that others compute too."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.flags.buckets import bucket_of, is_in_rollout, point_of
from understudy_server.core.flags.compiled import compile_flag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.model import Flag, FlagState, Variant

USERS = 4_000
_texts = st.text(alphabet=st.characters(), max_size=20)


@pytest.mark.parametrize(
    ("user_id", "flag_key", "bucket"),
    [
        ("user-a", "rollout-flag", 23),
        ("user-b", "rollout-flag", 12),
        ("user-d", "rollout-flag", 93),
        ("user-e", "rollout-flag", 53),
        ("user-g", "rollout-flag", 0),
        ("user-h", "rollout-flag", 38),
        ("user-123", "new-checkout-flow", 80),
        ("user-2", "new-checkout", 17),
        ("test-user", "new-checkout", 51),
    ],
)
def test_users_have_the_buckets_that_they_have_elsewhere(user_id: str, flag_key: str, bucket: int) -> None:
    assert bucket_of(user_id, flag_key) == bucket
    assert not is_in_rollout(user_id, flag_key, bucket)
    assert is_in_rollout(user_id, flag_key, bucket + 1)


@given(_texts, _texts, st.integers(0, 100), st.integers(0, 100))
def test_a_higher_percentage_loses_nobody(user_id: str, flag_key: str, one: int, other: int) -> None:
    lower, higher = sorted((one, other))
    assert is_in_rollout(user_id, flag_key, lower) <= is_in_rollout(user_id, flag_key, higher)


@given(_texts, _texts)
def test_nobody_is_in_a_rollout_of_0_and_everybody_in_one_of_100(user_id: str, flag_key: str) -> None:
    assert not is_in_rollout(user_id, flag_key, 0)
    assert is_in_rollout(user_id, flag_key, 100)


@pytest.mark.parametrize(("percentage", "is_in"), [(0, False), (1, False), (99, False), (100, True)])
def test_without_a_user_only_a_whole_rollout_includes(percentage: int, is_in: bool) -> None:
    assert is_in_rollout("", "new-checkout", percentage) is is_in


def test_a_user_whose_id_cannot_be_encoded_has_a_bucket() -> None:
    assert 0 <= bucket_of("\ud800", "new-checkout") < 100


@pytest.mark.parametrize("percentage", [10, 50, 90])
def test_a_rollout_includes_about_its_share(percentage: int) -> None:
    included = sum(is_in_rollout(f"user-{number}", "new-checkout", percentage) for number in range(USERS))
    assert abs(included / USERS - percentage / 100) < 0.03


def test_weights_are_met_by_about_their_share_of_the_users() -> None:
    variants = [Variant("red", weight=10), Variant("none", weight=0), Variant("blue", weight=30)]
    flag = compile_flag(Flag("colour", variants=variants), FlagState(enabled=True))
    chosen = Counter(flag.evaluate(context_of({"userId": f"user-{number}"})).variant for number in range(USERS))
    assert set(chosen) == {"red", "blue"}
    assert abs(chosen["red"] / USERS - 0.25) < 0.03


def test_without_a_user_the_first_variant_that_has_a_weight_is_chosen() -> None:
    variants = [Variant("none"), Variant("rare", weight=1), Variant("frequent", weight=1_000_000)]
    flag = compile_flag(Flag("colour", variants=variants), FlagState(enabled=True))
    assert flag.evaluate(context_of({"plan": "beta"})).variant == "rare"


def test_the_choice_among_variants_is_not_that_of_the_rollout() -> None:
    users = [f"user-{number}" for number in range(USERS)]
    included = [user for user in users if is_in_rollout(user, "new-checkout", 50)]
    low = sum(point_of(user, "new-checkout") < 0.5 for user in included)
    assert abs(low / len(included) - 0.5) < 0.05


@given(st.lists(st.floats() | st.integers(), min_size=1, max_size=5), _texts)
def test_any_weights_choose_a_variant_that_has_some(weights: list[float], user_id: str) -> None:
    variants = [Variant(str(at), weight=weight) for at, weight in enumerate(weights)]
    flag = compile_flag(Flag("colour", variants=variants), FlagState(enabled=True))
    found = flag.evaluate(context_of({"userId": user_id}))
    weighty = {str(at) for at, weight in enumerate(weights) if weight > 0}
    assert found.variant in (weighty or {"0"})
    assert flag.evaluate(context_of({"userId": user_id})) == found
