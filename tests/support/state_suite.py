"""What every keeper of state must do, whatever it is made of: inherit from ``StateSuite`` and give it a ``state``."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from understudy_server.core.json_reading import UNREADABLE
from understudy_server.core.state import (
    ABSENT,
    MACHINE_START,
    VALUES_BYTES_MAX,
    VALUES_MAX,
    Claim,
    NotANumber,
    Owner,
    Refusal,
    Scope,
    State,
    StateFull,
)

SESSION = Owner("env_1", Scope.SESSION, "ses_1.1")
ANOTHER = Owner("env_1", Scope.SESSION, "ses_2.1")
ELSEWHERE = Owner("env_2", Scope.SESSION, "ses_1.1")
CHAIN = Owner("env_1", Scope.CHAIN, "ses_1.1")
EVERYBODY = Owner("env_1", Scope.ENVIRONMENT)
NOBODY = Owner("env_1", Scope.SESSION)

FEW = 20
"""How many values and machines there may be where the test is about that: the real limits take their time on a disk."""
THREADS = 8
CLAIMS = 200


def use(mock: str = "ovr_a", owner: Owner = SESSION, uses_max: int = 0) -> Claim:
    return Claim(mock, owner, uses_max)


def step(required: str, following: str, *, mock: str = "ovr_a", owner: Owner = SESSION, uses_max: int = 0) -> Claim:
    return Claim(mock, owner, uses_max, "order", owner, required, following)


def everything(state: State, owner: Owner) -> tuple[list[Any], list[Any], list[Any]]:
    """All that an owner has: values, machines, uses."""
    return list(state.texts(owner, limit=VALUES_MAX)), list(state.machines(owner)), list(state.uses(owner))


NOTHING: tuple[list[Any], list[Any], list[Any]] = ([], [], [])


class _Limited:
    limits_in = ""
    """The module whose limits are those of the state."""

    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("VALUES_MAX", "MACHINES_MAX"):
            monkeypatch.setattr(f"{self.limits_in}.{name}", FEW)


class Claims(_Limited):
    """Uses and machines."""

    def test_uses_are_counted_from_one(self, state: State) -> None:
        assert [state.claim(use()) for _ in range(3)] == [1, 2, 3]

    def test_uses_of_each_mock_and_each_owner_are_counted_apart(self, state: State) -> None:
        for claim in (
            use(),
            use("ovr_b"),
            use(owner=ANOTHER),
            use(owner=CHAIN),
            use(owner=ELSEWHERE),
            use(owner=NOBODY),
        ):
            assert state.claim(claim) == 1

    def test_a_mock_that_is_spent_is_lost_and_its_uses_stay(self, state: State) -> None:
        assert [state.claim(use(uses_max=2)) for _ in range(4)] == [1, 2, None, None]
        assert state.uses_of(SESSION, "ovr_a") == 2

    def test_a_limit_that_was_raised_lets_it_be_used_again(self, state: State) -> None:
        state.claim(use(uses_max=1))

        assert state.claim(use(uses_max=2)) == 2

    def test_a_machine_begins_in_its_first_state(self, state: State) -> None:
        assert state.machine(SESSION, "order") == MACHINE_START
        assert state.machines(SESSION) == []

    def test_a_step_takes_a_machine_on(self, state: State) -> None:
        assert state.claim(step(MACHINE_START, "paid")) == 1
        assert state.machine(SESSION, "order") == "paid"
        assert state.claim(step("paid", "sent", mock="ovr_b")) == 1
        assert state.machines(SESSION) == [("order", "sent")]

    def test_a_step_from_another_state_is_lost_and_nothing_is_counted(self, state: State) -> None:
        state.claim(step(MACHINE_START, "paid"))

        assert state.claim(step(MACHINE_START, "lost")) is None
        assert state.claim(step("unheard of", "lost", mock="ovr_b")) is None
        assert everything(state, SESSION) == ([], [("order", "paid")], [("ovr_a", 1)])

    def test_a_mock_that_is_spent_takes_no_step(self, state: State) -> None:
        state.claim(step("", "paid", uses_max=1))

        assert state.claim(step("", "sent", uses_max=1)) is None
        assert state.machine(SESSION, "order") == "paid"

    def test_a_step_from_any_state_is_always_taken(self, state: State) -> None:
        assert state.claim(step("", "paid")) == 1
        assert state.claim(step("", "sent")) == 2
        assert state.machine(SESSION, "order") == "sent"

    def test_a_step_that_only_requires_leaves_the_machine_as_it_is(self, state: State) -> None:
        state.claim(step("", "paid"))

        assert state.claim(step("paid", "")) == 2
        assert state.machine(SESSION, "order") == "paid"

    def test_a_step_that_only_requires_the_first_state_makes_no_machine(self, state: State) -> None:
        assert state.claim(step(MACHINE_START, "")) == 1
        assert state.machines(SESSION) == []

    def test_a_machine_that_is_back_in_its_first_state_is_as_it_was_before(self, state: State) -> None:
        state.claim(step(MACHINE_START, "paid"))
        state.claim(step("paid", MACHINE_START))

        assert state.machines(SESSION) == []
        assert state.claim(step(MACHINE_START, "paid")) == 3

    def test_uses_may_be_counted_for_one_owner_and_the_machine_be_of_another(self, state: State) -> None:
        claim = Claim("ovr_a", SESSION, 1, "order", EVERYBODY, MACHINE_START, "paid")

        assert state.claim(claim) == 1
        assert state.claim(claim._replace(counted=ANOTHER)) is None
        assert (everything(state, SESSION), everything(state, ANOTHER)) == (([], [], [("ovr_a", 1)]), NOTHING)
        assert state.machines(EVERYBODY) == [("order", "paid")]

    def test_a_lost_claim_leaves_no_trace(self, state: State) -> None:
        assert state.claim(step("paid", "sent")) is None
        assert list(state.owners()) == []

    def test_why_a_claim_would_be_lost_is_told_and_nothing_is_changed(self, state: State) -> None:
        assert state.refusal(step(MACHINE_START, "paid", uses_max=1)) is None
        assert state.refusal(step("paid", "sent")) is Refusal.MACHINE_STATE
        assert list(state.owners()) == []
        state.claim(use(uses_max=1))
        assert state.refusal(step(MACHINE_START, "paid", uses_max=1)) is Refusal.SPENT
        assert state.refusal(step("", "paid", uses_max=2)) is None

    def test_a_machine_can_be_put_into_any_state(self, state: State) -> None:
        state.set_machine(SESSION, "order", "sent")
        assert state.machine(SESSION, "order") == "sent"
        state.set_machine(SESSION, "order", MACHINE_START)
        assert list(state.owners()) == []

    def test_machines_are_in_the_order_of_their_names(self, state: State) -> None:
        for name in ("b", "a", "ä", "Z"):
            state.set_machine(SESSION, name, "on")

        assert [name for name, _ in state.machines(SESSION)] == ["Z", "a", "b", "ä"]

    @pytest.mark.usefixtures("few")
    def test_an_owner_has_so_many_machines_and_no_more(self, state: State) -> None:
        for number in range(FEW):
            state.set_machine(SESSION, f"m{number}", "on")

        with pytest.raises(StateFull):
            state.set_machine(SESSION, "one more", "on")
        state.set_machine(SESSION, "m1", "off")
        state.set_machine(ANOTHER, "one more", "on")
        state.set_machine(SESSION, "m2", MACHINE_START)
        state.set_machine(SESSION, "one more", "on")

    def test_uses_are_in_the_order_of_ids(self, state: State) -> None:
        for mock in ("ovr_b", "ovr_a", "ovr_b"):
            state.claim(use(mock))

        assert state.uses(SESSION) == [("ovr_a", 1), ("ovr_b", 2)]

    def test_uses_of_mocks_are_forgotten_whoever_counts_them(self, state: State) -> None:
        for owner in (SESSION, ANOTHER, ELSEWHERE):
            for mock in ("ovr_a", "ovr_b", "ovr_c"):
                state.claim(use(mock, owner))
        state.claim(use(owner=CHAIN))

        state.forget_uses("env_1", ["ovr_a", "ovr_c", "ovr_unknown"])

        assert [each for each, _ in state.uses(SESSION)] == ["ovr_b"]
        assert [each for each, _ in state.uses(ANOTHER)] == ["ovr_b"]
        assert len(state.uses(ELSEWHERE)) == 3
        assert CHAIN not in state.owners()
        assert state.claim(use()) == 1

    def test_claims_of_many_threads_lose_nothing_and_see_no_count_twice(self, state: State) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            seen = list(pool.map(lambda _: state.claim(use(uses_max=CLAIMS - 20)), range(CLAIMS)))

        assert sorted(each for each in seen if each) == list(range(1, CLAIMS - 19))
        assert seen.count(None) == 20

    def test_each_step_of_a_machine_is_taken_by_one_of_many_threads(self, state: State) -> None:
        steps = [
            Claim(
                f"ovr_{number}",
                SESSION,
                0,
                "order",
                SESSION,
                f"s{number}" if number else MACHINE_START,
                f"s{number + 1}",
            )
            for number in range(CLAIMS)
        ]

        def take_one(_: int) -> int:
            while True:
                for number, each in enumerate(steps):
                    if state.claim(each):
                        return number

        with ThreadPoolExecutor(THREADS) as pool:
            taken = list(pool.map(take_one, range(CLAIMS)))

        assert sorted(taken) == list(range(CLAIMS))
        assert state.machine(SESSION, "order") == f"s{CLAIMS}"
        assert {uses for _, uses in state.uses(SESSION)} == {1}


class Values(_Limited):
    """Values by key."""

    def test_a_value_that_is_not_there_is_absent_and_null_is_not(self, state: State) -> None:
        assert state.value(SESSION, "k") is ABSENT
        assert state.text(SESSION, "k") is None
        state.set_value(SESSION, "k", None)
        assert state.value(SESSION, "k") is None
        assert state.text(SESSION, "k") == "null"

    @pytest.mark.parametrize(
        "value",
        [True, 0, -12, 12345678901234567890123, 1.5, "", "Größe 🎭", "\ud83d", [1, [2, {}]], {"a": {"b": [None, "x"]}}],
        ids=ascii,
    )
    def test_a_value_is_given_back_as_it_was(self, state: State, value: Any) -> None:
        state.set_value(SESSION, "k", value)

        assert state.value(SESSION, "k") == value
        assert type(state.value(SESSION, "k")) is type(value)

    @pytest.mark.parametrize("text", ["1.10", "1E2", '{"b": 1.00, "a": "\\u00e9"}', '"\\ud83d"', "-0"])
    def test_a_text_is_given_back_with_all_its_digits(self, state: State, text: str) -> None:
        state.set_text(SESSION, "k", text)

        assert state.text(SESSION, "k") == text

    def test_a_text_has_a_meaning_and_a_value_a_text(self, state: State) -> None:
        state.set_text(SESSION, "text", '{"a": 1.10}')
        state.set_value(SESSION, "value", {"a": ["ä", 1]})

        assert state.value(SESSION, "text") == {"a": 1.1}
        assert state.text(SESSION, "value") == '{"a":["ä",1]}'

    def test_a_value_means_the_same_however_it_was_given_and_however_long_it_is(self, state: State) -> None:
        for length in (1, 10_000, 2_000_000):
            state.set_value(SESSION, "value", {"a": ["x" * length]})
            state.set_text(SESSION, "text", f'{{"a": ["{"x" * length}"]}}')

            assert state.value(SESSION, "value") == state.value(SESSION, "text")
        assert state.value(SESSION, "value") is UNREADABLE

    def test_owners_do_not_see_the_values_of_others(self, state: State) -> None:
        owners = (SESSION, ANOTHER, CHAIN, EVERYBODY, NOBODY, ELSEWHERE)
        for number, owner in enumerate(owners):
            state.set_value(owner, "k", number)

        assert [state.value(owner, "k") for owner in owners] == list(range(len(owners)))

    def test_a_value_that_was_let_go_is_absent(self, state: State) -> None:
        state.set_value(SESSION, "k", 1)

        state.delete_value(SESSION, "k")
        state.delete_value(SESSION, "never there")
        state.delete_value(ANOTHER, "k")

        assert state.value(SESSION, "k") is ABSENT
        assert list(state.owners()) == []

    def test_what_was_not_there_counts_as_zero(self, state: State) -> None:
        assert [state.increment(SESSION, "n", by) for by in (3, -5, 0)] == [3, -2, -2]
        assert state.text(SESSION, "n") == "-2"

    def test_whole_numbers_keep_all_their_digits(self, state: State) -> None:
        state.set_text(SESSION, "n", "12345678901234567890123")

        assert state.increment(SESSION, "n", 1) == 12345678901234567890124
        assert state.text(SESSION, "n") == "12345678901234567890124"

    def test_a_double_is_added_to_as_one(self, state: State) -> None:
        state.set_text(SESSION, "n", "1.50")

        assert state.increment(SESSION, "n", 1) == 2.5
        assert state.text(SESSION, "n") == "2.5"

    @pytest.mark.parametrize("text", ["true", "null", '"1"', "[1]", "9" * 4300])
    def test_what_is_no_number_that_can_be_added_to_stays_as_it_is(self, state: State, text: str) -> None:
        state.set_text(SESSION, "n", text)

        with pytest.raises(NotANumber):
            state.increment(SESSION, "n", 1)
        assert state.text(SESSION, "n") == text

    def test_values_are_in_the_order_of_their_keys_page_by_page(self, state: State) -> None:
        for key in ("b", "a", "b.1", "ä", "🎭", "Z", "b.2"):
            state.set_value(SESSION, key, key)

        assert [key for key, _ in state.texts(SESSION, limit=99)] == ["Z", "a", "b", "b.1", "b.2", "ä", "🎭"]
        assert state.texts(SESSION, after="b", limit=2) == [("b.1", '"b.1"'), ("b.2", '"b.2"')]
        assert state.texts(ANOTHER, limit=2) == []

    def test_values_with_a_prefix_are_those_whose_keys_begin_with_it(self, state: State) -> None:
        for key in ("order", "order.id", "Order.id", "orders", "order.name", "a.order.id", "order%", "or\0der"):
            state.set_value(SESSION, key, 1)

        def keys(prefix: str, after: str = "") -> list[str]:
            return [key for key, _ in state.texts(SESSION, prefix=prefix, after=after, limit=99)]

        assert keys("order.") == ["order.id", "order.name"]
        assert keys("order.", after="order.id") == ["order.name"]
        assert keys("order%") == ["order%"]
        assert keys("or\0") == ["or\0der"]
        assert keys("order.id.x") == []

    @pytest.mark.usefixtures("few")
    def test_an_owner_keeps_so_many_values_and_no_more(self, state: State) -> None:
        for number in range(FEW):
            state.set_text(SESSION, f"k{number}", "1")

        for refused in (state.set_value, state.increment):
            with pytest.raises(StateFull):
                refused(SESSION, "one more", 1)
        state.set_text(SESSION, "k1", "22")
        state.set_text(ANOTHER, "one more", "1")
        state.delete_value(SESSION, "k2")
        state.set_text(SESSION, "one more", "1")

    def test_an_owner_keeps_so_many_bytes_and_no_more(self, state: State) -> None:
        # Text of two bytes a character, with the quotes and its key: as much as there may be.
        fitting = f'"{"ä" * ((VALUES_BYTES_MAX - 2 - 4) // 2)}"'
        state.set_text(SESSION, "kä9", fitting)

        with pytest.raises(StateFull):
            state.set_text(SESSION, "kä9", f'"a{fitting[1:]}')
        with pytest.raises(StateFull):
            state.increment(SESSION, "n", 1)
        assert state.text(SESSION, "kä9") == fitting
        assert state.value(SESSION, "n") is ABSENT
        state.set_text(SESSION, "kä9", "1")
        state.set_text(SESSION, "n", fitting[:-20] + '"')

    def test_additions_of_many_threads_are_all_there(self, state: State) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            seen = list(pool.map(lambda _: state.increment(SESSION, "n", 1), range(CLAIMS)))

        assert sorted(seen) == list(range(1, CLAIMS + 1))
        assert state.value(SESSION, "n") == CLAIMS


class Resets:
    """Beginning anew."""

    def test_an_owner_begins_anew_and_others_stay(self, state: State) -> None:
        for owner in (SESSION, ANOTHER, CHAIN, ELSEWHERE):
            _fill(state, owner)
        before = everything(state, ANOTHER)

        state.reset(SESSION)
        state.reset(NOBODY)

        assert everything(state, SESSION) == NOTHING
        assert [everything(state, owner) for owner in (ANOTHER, CHAIN, ELSEWHERE)] == [before] * 3
        assert state.claim(step(MACHINE_START, "paid", uses_max=1)) == 1
        assert state.increment(SESSION, "n", 1) == 1

    def test_all_of_an_environment_begin_anew_and_others_stay(self, state: State) -> None:
        for owner in (SESSION, ANOTHER, CHAIN, EVERYBODY, ELSEWHERE):
            _fill(state, owner)
        before = everything(state, ELSEWHERE)

        state.reset_environment("env_1")
        state.reset_environment("env_unknown")

        assert [everything(state, owner) for owner in (SESSION, ANOTHER, CHAIN, EVERYBODY)] == [NOTHING] * 4
        assert everything(state, ELSEWHERE) == before

    def test_owners_are_those_that_have_anything(self, state: State) -> None:
        state.set_value(SESSION, "k", 1)
        state.set_machine(CHAIN, "order", "paid")
        state.claim(use(owner=ELSEWHERE))
        _fill(state, ANOTHER)
        state.reset(ANOTHER)

        assert sorted(state.owners()) == sorted([SESSION, CHAIN, ELSEWHERE])


def _fill(state: State, owner: Owner) -> None:
    state.claim(step(MACHINE_START, "paid", owner=owner))
    state.increment(owner, "n", 7)
    state.set_text(owner, "k", "1.10")


class StateSuite(Claims, Values, Resets):
    """The behaviours. Each is given a ``state`` that holds nothing yet."""

    @pytest.fixture
    def state(self) -> State:
        raise NotImplementedError
