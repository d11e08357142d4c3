import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy_gateway.dialects.flagbridge.settings import Edition, RequestsAMinute
from understudy_server.cli.flagbridge import read_edition, read_login, read_requests
from understudy_server.cli.settings import BadSettings, Settings, load_settings
from understudy_server.core.rates import Rate

COUNTS = st.integers(1, 999_999_999)


def test_an_edition_is_one_of_two() -> None:
    assert (read_edition("pro"), read_edition("ce")) == (Edition.PRO, Edition.CE)
    with pytest.raises(ValueError, match="'enterprise' is not an edition: give pro or ce"):
        read_edition("enterprise")


def test_a_login_is_an_address_and_all_that_stands_behind_the_first_colon() -> None:
    login = read_login("ada@example.com:pass:word ")
    assert (login.email, login.password) == ("ada@example.com", "pass:word")


def test_tokens_of_two_processes_are_signed_with_two_secrets() -> None:
    text = "ada@example.com:password"
    assert read_login(text).secret != read_login(text).secret


@pytest.mark.parametrize(
    "text", ["", ":hidden-word", "ada@example.com", "ada@example.com:", "ada:hidden-word", "a b@c:hidden-word"]
)
def test_what_is_no_login_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="give EMAIL:PASSWORD") as refused:
        read_login(text)
    assert "hidden" not in str(refused.value)


def test_a_password_is_in_no_message_and_no_representation() -> None:
    assert "hidden" not in repr(load_settings({}, {"UNDERSTUDY_FLAGBRIDGE_LOGIN": "ada@example.com:hidden-word"}))
    with pytest.raises(BadSettings, match=r"^UNDERSTUDY_FLAGBRIDGE_LOGIN: this is not a login") as refused:
        load_settings({}, {"UNDERSTUDY_FLAGBRIDGE_LOGIN": "hidden-word"})
    assert "hidden" not in str(refused.value)


@given(st.builds(RequestsAMinute, COUNTS, COUNTS, COUNTS, COUNTS), st.permutations(["eval", "test", "mgmt", "full"]))
def test_requests_are_read_in_any_order(limits: RequestsAMinute, order: list[str]) -> None:
    assert read_requests(", ".join(f"{scope}={limits.of(scope)}" for scope in order)) == limits


@given(st.builds(RequestsAMinute, COUNTS, COUNTS, COUNTS, COUNTS))
def test_requests_are_written_as_they_are_read(limits: RequestsAMinute) -> None:
    assert read_requests(str(limits)) == limits


def test_a_scope_that_is_left_out_keeps_its_requests() -> None:
    assert read_requests("test=5000") == RequestsAMinute(test=5000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not SCOPE=REQUESTS, where SCOPE is one of eval, test, mgmt, full"),
        ("all=5", "'all=5' is not"),
        ("eval=0", "'eval=0' is not"),
        ("eval=-1", "'eval=-1' is not"),
        ("eval", "'eval' is not"),
        ("eval=1,eval=2", "eval stands there twice"),
        ("eval=9999999999", "is not"),
    ],
)
def test_what_are_no_requests_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_requests(text)


def test_a_key_may_make_eight_calls_for_each_request() -> None:
    settings = load_settings({}, {"UNDERSTUDY_FLAGBRIDGE_REQUESTS": "test=5000"})
    assert settings.scope_rates() == {
        "eval": Rate(80_000, 60),
        "test": Rate(40_000, 60),
        "mgmt": Rate(4_000, 60),
        "full": Rate(4_000, 60),
    }


def test_without_settings_it_is_the_whole_product_and_nobody_logs_in() -> None:
    settings = Settings()
    assert (settings.flagbridge_edition, settings.flagbridge_login) == (Edition.PRO, None)
    assert settings.flagbridge_requests == RequestsAMinute(10_000, 1_000, 500, 500)
