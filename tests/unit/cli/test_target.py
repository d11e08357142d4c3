from pathlib import Path

import pytest
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.target import Target, choose_target


def test_without_anything_the_data_directory_beside_us_is_meant() -> None:
    assert choose_target(None, None, None, {}) == Target("", "", Path("understudy-data"))


def test_a_flag_outweighs_the_environment() -> None:
    environ = {"UNDERSTUDY_SERVER": "a:1", "UNDERSTUDY_KEY": "fmk_a"}
    assert choose_target("b:2", "fmk_b", None, environ) == Target("b:2", "fmk_b", Path("understudy-data"))


def test_the_flag_data_outweighs_a_server_in_the_environment() -> None:
    assert choose_target(None, None, "here", {"UNDERSTUDY_SERVER": "a:1"}) == Target("", "", Path("here"))


def test_a_server_in_the_environment_outweighs_a_directory_in_it() -> None:
    found = choose_target(None, None, None, {"UNDERSTUDY_SERVER": "a:1", "UNDERSTUDY_DATA": "there"})
    assert found.address == "a:1"


def test_both_flags_are_a_mistake_of_use() -> None:
    with pytest.raises(CommandFailed) as caught:
        choose_target("a:1", None, "here", {})
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_flag_ca_outweighs_the_environment() -> None:
    environ = {"UNDERSTUDY_SERVER": "grpcs://a:1", "UNDERSTUDY_CA": "theirs.pem"}
    assert choose_target(None, None, None, environ).ca == "theirs.pem"
    assert choose_target(None, None, None, environ, ca="ours.pem").ca == "ours.pem"


@pytest.mark.parametrize("server", ["a:1", None])
def test_a_ca_for_a_server_without_tls_is_a_mistake_of_use(server: str | None) -> None:
    with pytest.raises(CommandFailed, match="--ca is for a server that speaks TLS") as caught:
        choose_target(server, None, None, {}, ca="ca.pem")
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_ca_in_the_environment_may_be_meant_for_other_servers() -> None:
    assert choose_target("a:1", None, None, {"UNDERSTUDY_CA": "ca.pem"}).address == "a:1"
