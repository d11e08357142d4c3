import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import pytest
from support.tls import Authority
from understudy_server.cli import writers
from understudy_server.cli.addresses import Address
from understudy_server.cli.settings import NAMES, BadSettings, Settings, load_settings
from understudy_server.cli.writers import wait_for_writers
from understudy_server.core.allow_list import AllowList
from understudy_server.core.plans import Plan
from understudy_server.core.rates import Rate
from understudy_server.core.record import Quota
from understudy_server.journal.memory import MemoryLimits
from understudy_server.journal.rules import DiskLimits
from understudy_server.proxy.settings import ProxySettings

Write = Callable[[str], str]

needs_leases = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open for writing")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> str:
        path = tmp_path / "understudy.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "authority")


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings({}, {})
    assert (str(settings.grpc), str(settings.rest), str(settings.proxy)) == (
        "127.0.0.1:50051",
        "127.0.0.1:8000",
        "127.0.0.1:8080",
    )
    assert settings.api_rate == Rate(6_000, 60)


def test_a_flag_outweighs_environment_and_file(write: Write) -> None:
    flags = {"config": write("server: {plan: free}"), "plan": "team"}
    assert load_settings(flags, {"UNDERSTUDY_PLAN": "dev"}).plan is Plan.TEAM


def test_the_environment_outweighs_the_file(write: Write) -> None:
    config = write("server: {plan: free}")
    assert load_settings({"config": config}, {"UNDERSTUDY_PLAN": "dev"}).plan is Plan.DEV


def test_an_empty_variable_is_as_good_as_none(write: Write) -> None:
    config = write("server: {plan: free}")
    assert load_settings({"config": config}, {"UNDERSTUDY_PLAN": ""}).plan is Plan.FREE


def test_the_file_can_be_named_in_the_environment(write: Write) -> None:
    assert load_settings({}, {"UNDERSTUDY_CONFIG": write("server: {api_rate: 120/60}")}).api_rate == Rate(120, 60)


def test_the_file_may_give_a_port_as_a_number(write: Write) -> None:
    assert load_settings({"config": write("server: {grpc: 0}")}, {}).grpc == Address("127.0.0.1", 0)


@pytest.mark.parametrize("text", ["", "server:", "server: {}"])
def test_a_file_may_say_nothing(write: Write, text: str) -> None:
    assert load_settings({"config": write(text)}, {}) == Settings()


def test_an_unknown_key_is_refused_with_its_name_and_what_is_allowed(write: Write) -> None:
    with pytest.raises(BadSettings, match=r"unknown key 'api_rat'; allowed are: api_rate, assertive, data"):
        load_settings({"config": write("server: {api_rat: 120/60}")}, {})


def test_what_the_file_declares_is_no_setting(write: Write) -> None:
    config = write("source: shop\nprojects: {shop: {}}\nserver: {plan: free}")
    assert load_settings({"config": config}, {}) == Settings(plan=Plan.FREE)


@pytest.mark.parametrize(
    "text", ["[]", "server: [1]", "server: {plan: [free]}", "server: {plan: true}", "server: [", "\x00"]
)
def test_a_file_of_another_shape_is_refused(write: Write, text: str) -> None:
    with pytest.raises(BadSettings, match=r"understudy\.yaml"):
        load_settings({"config": write(text)}, {})


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"cannot read .*none\.yaml"):
        load_settings({"config": str(tmp_path / "none.yaml")}, {})


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "understudy.yaml")
    with pytest.raises(BadSettings, match="it is a pipe; name a file, which can be read again"):
        load_settings({"config": str(tmp_path / "understudy.yaml")}, {})


@needs_leases
def test_a_file_that_another_process_has_open_for_writing_is_not_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "WRITER_SECONDS_MAX", 0.01)
    config = write("server: {plan: free}")
    with (
        Path(config).open("a"),
        pytest.raises(BadSettings, match="another process has it open for writing"),
    ):
        load_settings({"config": config}, {})


@needs_leases
def test_a_file_is_read_once_whoever_writes_it_is_done(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write("")
    with Path(config).open("w") as writer:
        writer.write("server: {plan: fr")
        writer.flush()

        def finish_and_wait(paths: Iterable[Path], deadline: float) -> Path | None:
            writer.write("ee}")
            writer.close()
            return wait_for_writers(paths, deadline)

        monkeypatch.setattr(writers, "wait_for_writers", finish_and_wait)
        assert load_settings({"config": config}, {}).plan is Plan.FREE


def test_a_bad_flag_is_named() -> None:
    with pytest.raises(BadSettings, match="--api-rate: '120' is not a rate: give calls/seconds"):
        load_settings({"api_rate": "120"}, {})


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(BadSettings, match="UNDERSTUDY_PLAN: 'gold' is not a plan: give free, dev, team, business"):
        load_settings({}, {"UNDERSTUDY_PLAN": "gold"})


def test_a_bad_value_in_the_file_is_named_with_its_place(write: Write) -> None:
    with pytest.raises(
        BadSettings, match=r"understudy\.yaml:1:29: server\.proxy_headers_max: '0' is not a whole number from 1"
    ):
        load_settings({"config": write("server: {proxy_headers_max: 0}")}, {})


@pytest.mark.parametrize("rate", ["0/60", "120/0", "120", "a/b", "-1/60", "1.5/60"])
def test_a_rate_needs_calls_and_seconds(rate: str) -> None:
    with pytest.raises(BadSettings, match="is not a rate"):
        load_settings({"api_rate": rate}, {})


def test_the_journal_is_on_disk_unless_told_otherwise() -> None:
    assert load_settings({}, {}).for_journal() is None


def test_a_journal_in_memory_has_limits_of_its_own() -> None:
    environ = {"UNDERSTUDY_JOURNAL_MEMORY_EXCHANGES_MAX": "10", "UNDERSTUDY_JOURNAL_MEMORY_BYTES_MAX": "1000"}
    assert load_settings({"journal": "memory"}, environ).for_journal() == MemoryLimits(10, 1_000)


def test_a_journal_keeps_less_in_memory_unless_told_otherwise() -> None:
    disk, memory = load_settings({}, {}).quota(), load_settings({"journal": "memory"}, {}).quota()

    assert (disk.session_entries, disk.entries) == (100_000, 1_000_000)
    assert (memory.session_entries, memory.entries) == (10_000, 20_000)
    assert disk.retention_ms == memory.retention_ms == 7 * 86_400_000


def test_what_the_journal_keeps_can_be_set() -> None:
    names = ("session_entries_max", "session_bytes_max", "environment_entries_max", "environment_bytes_max")
    given = {f"journal_{name}": str(number) for number, name in enumerate(names, 1)}
    settings = load_settings({**given, "journal_retention_seconds": "9", "journal_entries_max": "7"}, {})

    assert settings.quota() == Quota(1, 2, 3, 4, 9_000)
    assert settings.for_disk() == DiskLimits(exchanges_max=7)


def test_another_kind_of_journal_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadSettings, match="--journal: 'ram' is not a journal: give disk or memory"):
        load_settings({"journal": "ram"}, {})


def test_two_listeners_on_one_address_are_refused() -> None:
    with pytest.raises(BadSettings, match=r"--rest and --proxy are both 127\.0\.0\.1:9000"):
        load_settings({"rest": "9000", "proxy": ":9000"}, {})


def test_any_number_of_listeners_may_take_a_free_port() -> None:
    assert load_settings({"grpc": "0", "rest": "0", "proxy": "0"}, {}).proxy.port == 0


def test_every_setting_can_stand_in_the_file_and_the_environment() -> None:
    assert set(NAMES) == {each.name for each in fields(Settings)}


def test_the_proxy_runs_with_its_own_defaults_unless_told_otherwise() -> None:
    assert Settings().for_proxy() == ProxySettings()


def test_a_setting_of_the_proxy_reaches_it() -> None:
    settings = load_settings({}, {"UNDERSTUDY_PROXY_CONNECTIONS_MAX": "7", "UNDERSTUDY_PROXY_IDLE_SECONDS": "9"})
    assert (settings.for_proxy().connections_max, settings.for_proxy().idle_seconds) == (7, 9)


def test_every_setting_of_the_proxy_has_a_place_where_it_counts() -> None:
    listeners = {"proxy_bound", "proxy_tls"}
    elsewhere = {"proxy_upstream_ca": "upstream_tls"}
    own = {each.name for each in fields(ProxySettings)}
    named = {name for name in NAMES if name.startswith("proxy_")} - listeners
    assert {elsewhere.get(name, name.removeprefix("proxy_")) for name in named} <= own


def test_authorities_for_upstreams_reach_the_proxy(authority: Authority) -> None:
    settings = load_settings({"proxy_upstream_ca": str(authority.file)}, {})
    assert settings.for_proxy().upstream_tls is settings.proxy_upstream_ca is not None


def test_a_certificate_can_be_given_for_each_listener(authority: Authority, write: Write) -> None:
    chain, key = authority.pair()
    config = write(f"server: {{grpc_tls: {authority.identity()}, rest_tls: '{chain},{key}'}}")
    settings = load_settings({"config": config}, {})
    assert settings.grpc_tls
    assert settings.rest_tls
    assert (settings.rest_tls.chain, settings.proxy_tls) == (chain.read_bytes(), None)


@pytest.mark.parametrize("name", ["grpc_tls", "rest_tls", "proxy_tls", "proxy_upstream_ca"])
def test_a_file_that_cannot_be_used_is_named_with_its_setting(name: str, tmp_path: Path) -> None:
    flag = f"--{name.replace('_', '-')}"
    with pytest.raises(BadSettings, match=rf"{flag}: cannot read .*none\.pem: No such file or directory"):
        load_settings({name: str(tmp_path / "none.pem")}, {})


def test_a_bound_listener_has_an_address_of_its_own() -> None:
    with pytest.raises(BadSettings, match=r"--proxy and --proxy-bound are both 127\.0\.0\.1:9000"):
        load_settings({"proxy": "9000", "proxy_bound": "checkout/staging=:9000"}, {})


def test_two_bound_listeners_on_one_address_are_refused() -> None:
    with pytest.raises(BadSettings, match=r"--proxy-bound and --proxy-bound are both 127\.0\.0\.1:9000"):
        load_settings({"proxy_bound": "checkout/staging=:9000,checkout/qa=9000"}, {})


def test_where_upstreams_may_be_reaches_the_proxy() -> None:
    settings = load_settings({"proxy_upstream_allow": "10.0.0.0/8, *.example.com"}, {})
    assert settings.for_proxy().upstream_allow == AllowList.parse("10.0.0.0/8,*.example.com")


def test_a_place_for_upstreams_that_is_none_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"--proxy-upstream-allow: .*10\.0\.0\.0/33"):
        load_settings({"proxy_upstream_allow": "10.0.0.0/33"}, {})


def test_metrics_are_nowhere_unless_told_and_on_loopback_with_a_port_alone() -> None:
    assert load_settings({}, {}).metrics is None
    assert load_settings({"metrics": "9464"}, {}).metrics == Address("127.0.0.1", 9464)


def test_metrics_have_an_address_of_their_own() -> None:
    with pytest.raises(BadSettings, match=r"--rest and --metrics are both 127\.0\.0\.1:8000"):
        load_settings({"metrics": "8000"}, {})


def test_log_lines_are_text_of_warnings_unless_told_otherwise() -> None:
    settings = load_settings({"log_format": "json"}, {"UNDERSTUDY_LOG_LEVEL": "info"})
    assert (settings.log_format, settings.log_level) == ("json", "info")
    assert (Settings().log_format, Settings().log_level) == ("text", "warning")


@pytest.mark.parametrize(
    ("name", "text", "allowed"), [("log_format", "xml", "text or json"), ("log_level", "all", "or error")]
)
def test_other_log_lines_are_refused_with_those_there_are(name: str, text: str, allowed: str) -> None:
    with pytest.raises(BadSettings, match=allowed):
        load_settings({name: text}, {})


def test_clients_of_the_assertive_mock_api_are_answered_only_where_that_is_asked_for() -> None:
    assert load_settings({}, {}).assertive is None
    assert load_settings({"assertive": "8910"}, {}).assertive == Address("127.0.0.1", 8910)


def test_the_file_of_stubs_can_be_named_as_users_of_the_product_expect() -> None:
    settings = load_settings({"assertive": "0"}, {"INIT_STUBS_FILE": "stubs.json"})
    assert settings.init_stubs == Path("stubs.json")


def test_a_variable_of_our_own_outweighs_one_that_others_have_too() -> None:
    environ = {"INIT_STUBS_FILE": "theirs.json", "UNDERSTUDY_INIT_STUBS": "ours.json"}
    assert load_settings({"assertive": "0"}, environ).init_stubs == Path("ours.json")


def test_stubs_for_nobody_are_refused() -> None:
    with pytest.raises(BadSettings, match=r"the stubs of stubs\.json are for --assertive; give that, too"):
        load_settings({"init_stubs": "stubs.json"}, {})


def test_what_the_other_product_reads_alone_is_nothing_to_a_plain_server(tmp_path: Path) -> None:
    theirs = {"INIT_STUBS_FILE": "theirs.json"}
    assert load_settings({}, theirs).init_stubs is None
    config = tmp_path / "understudy.yaml"
    config.write_text("server:\n  init_stubs: ours.json\n")
    for flags, variables in (
        ({"init_stubs": "ours.json"}, theirs),
        ({}, {**theirs, "UNDERSTUDY_INIT_STUBS": "ours.json"}),
        ({"config": str(config)}, theirs),
    ):
        with pytest.raises(BadSettings, match=r"the stubs of ours\.json are for --assertive; give that, too"):
            load_settings(flags, variables)


def test_the_assertive_mock_api_needs_an_address_of_its_own() -> None:
    with pytest.raises(BadSettings, match=r"--proxy and --assertive are both 127\.0\.0\.1:8080"):
        load_settings({"assertive": "8080"}, {})
