"""``understudy serve --config``: what the file declares is in force from the first request on, and follows the file."""

import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from e2e.conftest import UNDERSTUDY, Server, Start, clean_environment, understudy
from understudy.v1.manifest_service_pb2 import PLAN_TEAM, ApplyManifestRequest, DumpManifestRequest, Manifest
from understudy.v1.manifest_service_pb2_grpc import ManifestServiceStub
from understudy.v1.server_service_pb2 import GetStatusRequest, Status
from understudy.v1.server_service_pb2_grpc import ServerServiceStub
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub
from understudy_server.cli.http_client import ask

# A change is in force within a second on a machine that has nothing else to do.
WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.02
PAY = "/shop/staging/pay"
# The writer opens, writes half and says so; then it waits to be told, writes the rest and closes.
SLOW_WRITER = """
import sys
with open(sys.argv[1], "w") as file:
    text = sys.argv[2]
    file.write(text[: len(text) // 2])
    file.flush()
    print("half", flush=True)
    sys.stdin.readline()
    file.write(text[len(text) // 2 :])
"""


def manifest(status: int = 402, *, more: str = "", environment: str = "") -> str:
    """A file with one mock, which answers with a status."""
    return f"""\
{more}
projects:
  shop:
    environments:
      staging:
        {environment}
        mocks:
          ovr_pay:
            matcher: POST /pay
            action: {{respond: {{status: {status}, json: {{by: file}}}}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "manifests").mkdir()
    path = tmp_path / "manifests" / "understudy.yaml"
    path.write_text(manifest())
    return path


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds. Another process makes it so, and can only be asked."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"it never happened that {what}"
        time.sleep(LOOK_SECONDS)


@contextmanager
def owner(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"unix:{server.data}/owner.sock") as channel:
        yield channel


def status_of(server: Server) -> Status:
    with owner(server) as channel:
        status: Status = ServerServiceStub(channel).GetStatus(GetStatusRequest()).status
    return status


def pay(server: Server, path: str = PAY) -> int:
    """What the mock answers in a session that has it."""
    headers = {"x-flowmock-session": "ci-42"}
    return asyncio.run(ask(server.addresses["proxy"], "POST", path, headers, "{}")).status


def switch_on(server: Server, mock: str = "ovr_pay") -> None:
    request = PutSessionRequest(project="shop", environment="staging", session_key="ci-42", overrides=[mock])
    request.update_mask.paths.append("overrides")
    with owner(server) as channel:
        SessionServiceStub(channel).PutSession(request)


def problem_of(server: Server) -> str:
    (source,) = status_of(server).manifests
    return source.problem


def is_told(server: Server, pattern: str) -> Callable[[], bool]:
    return lambda: re.search(pattern, server.output()) is not None


@pytest.fixture
def server(start: Start, file: Path) -> Server:
    """A server of the file, with a session that has its mock."""
    made = start("--config", str(file))
    switch_on(made)
    assert pay(made) == 402
    return made


def test_the_file_is_in_force_before_anything_accepts(start: Start, file: Path) -> None:
    lines = start("--config", str(file)).output().splitlines()
    assert re.fullmatch(r"file   .*understudy\.yaml is in force \(3 changes\)", lines[0])
    assert lines[1].startswith("gRPC   accepts")


def test_a_store_that_is_filled_by_a_file_gets_no_sample(start: Start, file: Path) -> None:
    server = start("--config", str(file))
    assert status_of(server).counts.projects == 1
    assert "First admin key" in server.output()


def test_a_file_with_settings_alone_leaves_the_sample(start: Start, file: Path) -> None:
    file.write_text("server: {plan: team}")
    found = status_of(start("--config", str(file)))
    assert (found.counts.projects, found.organisation.plan, list(found.manifests)) == (1, PLAN_TEAM, [])


def test_it_is_shown_as_followed_and_in_force(server: Server) -> None:
    (source,) = status_of(server).manifests
    shown = (source.source, source.resources, source.watched, source.problem)
    assert shown == ("understudy.yaml", 3, True, "")


def test_a_changed_file_is_in_force_without_a_restart(server: Server, file: Path) -> None:
    file.write_text(manifest(409))
    eventually(lambda: pay(server) == 409, "the new status is answered")


def test_a_broken_file_keeps_what_was_and_says_why_until_it_is_mended(server: Server, file: Path) -> None:
    file.write_text(manifest(900))
    eventually(is_told(server, r"understudy\.yaml:10:\d+: .*\.status: is 900"), "the problem is logged")
    assert pay(server) == 402
    assert "status: is 900, more than 599" in problem_of(server)
    assert understudy("status", "--data", server.data).returncode == 1
    file.write_text(manifest(409))
    eventually(lambda: pay(server) == 409, "the mended file is in force")
    assert problem_of(server) == ""
    assert understudy("status", "--data", server.data).returncode == 0


def test_what_an_editor_puts_in_the_place_of_the_file_is_read(server: Server, file: Path) -> None:
    for status in (409, 410):
        partial = file.with_name(".understudy.yaml.swp")
        partial.write_text(manifest(status))
        partial.rename(file)
        eventually(lambda status=status: pay(server) == status, f"{status} is answered")  # type: ignore[misc]


def test_a_file_that_appears_where_a_pattern_looks_is_included(server: Server, file: Path) -> None:
    (file.parent / "more").mkdir()
    (file.parent / "more" / "a.yaml").write_text("{}")
    file.write_text(manifest(409, environment="include: [more/*.yaml]"))
    eventually(lambda: pay(server) == 409, "the pattern is read")
    (file.parent / "more" / "b.yaml").write_text("mocks: {ovr_b: {matcher: POST /b, action: {respond: {status: 418}}}}")
    eventually(lambda: status_of(server).counts.mocks == 2, "the new file is included")


def test_a_folder_that_appears_where_a_pattern_looks_is_followed_too(start: Start, file: Path) -> None:
    (file.parent / "teams" / "a").mkdir(parents=True)
    (file.parent / "teams" / "a" / "mocks.yaml").write_text("mocks: {ovr_a: {matcher: POST /a}}")
    file.write_text(manifest(environment="include: [teams/*/mocks.yaml]"))
    server = start("--config", str(file))
    assert status_of(server).counts.mocks == 2
    (file.parent / "teams" / "b").mkdir()
    (file.parent / "teams" / "b" / "mocks.yaml").write_text("mocks: {ovr_b: {matcher: POST /b}}")
    eventually(lambda: status_of(server).counts.mocks == 3, "what came in a new folder is included")


def test_a_body_in_a_file_beside_is_followed(start: Start, file: Path) -> None:
    body = file.parent / "cart.json"
    body.write_text('{"items":1}')
    file.write_text(manifest().replace("json: {by: file}", "jsonFile: cart.json"))
    server = start("--config", str(file))
    switch_on(server)

    def cart() -> str:
        headers = {"x-flowmock-session": "ci-42"}
        return asyncio.run(ask(server.addresses["proxy"], "POST", PAY, headers, "{}")).body

    assert cart() == '{"items":1}'
    body.write_text('{"items":2}')
    eventually(lambda: cart() == '{"items":2}', "the new body is answered")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open for writing")
def test_a_file_that_is_written_slowly_is_never_taken_for_whole(server: Server, file: Path) -> None:
    # The first half is a manifest that would do.
    padding = "#" + " " * len(manifest(409)) + "\n"
    whole = manifest(409) + padding + "          ovr_new: {matcher: POST /new}\n"
    writer = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(file), whole], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    assert writer.stdout.readline() == "half\n"
    # Told to read, it waits for the writer, and says so after a while.
    server.process.send_signal(signal.SIGHUP)
    eventually(is_told(server, "another process has it open for writing"), "the wait is told")
    assert pay(server) == 402
    writer.communicate("go on\n")
    eventually(lambda: pay(server) == 409, "the whole file is in force")
    assert status_of(server).counts.mocks == 2


def test_a_deleted_file_keeps_what_was_and_one_that_comes_back_is_read(server: Server, file: Path) -> None:
    file.unlink()
    eventually(is_told(server, "there is no file|cannot read"), "that it is missing is logged")
    assert pay(server) == 402
    assert "understudy.yaml" in problem_of(server)
    file.write_text(manifest(409))
    eventually(lambda: pay(server) == 409, "the new file is in force")


def test_sighup_applies_the_file_again_where_another_took_its_place(server: Server, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(manifest(410))
    result = understudy("apply", other, "--source", "understudy.yaml", "--data", server.data)
    assert result.returncode == 0, result.stderr
    assert pay(server) == 410
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: pay(server) == 402, "the file is in force again")


def test_a_terminal_that_is_closed_ends_the_server(file: Path, tmp_path: Path) -> None:
    master, slave = os.openpty()
    ready = tmp_path / "ready.json"
    ports = ("--grpc", "0", "--rest", "0", "--proxy", "0")
    command = [UNDERSTUDY, "serve", "--config", str(file), "--data", str(tmp_path / "data"), "--ready-file", str(ready)]
    process = subprocess.Popen(
        [*command, *ports],
        env=clean_environment(),
        stdin=slave,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing else runs in this process
    )
    try:
        os.close(slave)
        eventually(ready.exists, "the server accepts")
        os.close(master)
        assert process.wait(WAIT_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_changed_settings_are_said_to_need_a_restart(server: Server, file: Path) -> None:
    file.write_text(manifest(409, more="server: {api_rate: 5/60}"))
    eventually(is_told(server, "the settings under `server:` have changed"), "the change of settings is told")
    eventually(lambda: pay(server) == 409, "the rest is in force")


def test_what_the_store_refuses_is_in_force_once_the_store_lets_it(server: Server, file: Path) -> None:
    place = ("--project", "shop", "--environment", "staging", "--data", server.data)
    made = understudy("mock", "create", "--id", "ovr_mine", "--name", "Mine", "--path", "/mine", *place)
    assert made.returncode == 0, made.stderr
    file.write_text(manifest(409) + "          ovr_mine: {matcher: POST /mine}\n")
    eventually(is_told(server, "--adopt"), "the refusal is logged with what to do")
    assert pay(server) == 402
    assert understudy("mock", "delete", "ovr_mine", *place).returncode == 0
    eventually(lambda: pay(server) == 409, "it is tried again and in force")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (manifest(900), r"understudy\.yaml:10:\d+: projects\.shop\..*\.status: is 900, more than 599"),
        ("projects: [", r"understudy\.yaml:\d+:\d+: "),
    ],
)
def test_a_start_with_a_file_that_cannot_be_used_changes_nothing(
    file: Path, tmp_path: Path, text: str, message: str
) -> None:
    file.write_text(text)
    result = understudy(
        "serve", "--config", file, "--data", tmp_path / "data", "--grpc", "0", "--rest", "0", "--proxy", "0"
    )
    assert result.returncode == 2
    assert re.search(message, result.stderr)
    assert "accepts" not in result.stdout
    assert not (tmp_path / "data").exists()


def test_a_start_that_the_store_refuses_leaves_the_store_as_it_was(start: Start, file: Path, tmp_path: Path) -> None:
    first = start("--config", str(file))
    before = status_of(first).store.version
    first.stop()
    file.write_text("source: another\n" + manifest(409))
    result = understudy("serve", "--config", file, "--data", first.data, "--grpc", "0", "--rest", "0", "--proxy", "0")
    assert result.returncode == 1
    assert "--adopt" in result.stderr
    assert json.loads(understudy("status", "--json", "--data", first.data).stdout)["store"]["version"] == before


def test_a_plan_that_contradicts_the_file_is_refused(file: Path, tmp_path: Path) -> None:
    file.write_text(manifest(more="organisation: {plan: business}"))
    ports = ("--grpc", "0", "--rest", "0", "--proxy", "0")
    result = understudy("serve", "--config", file, "--data", tmp_path / "data", "--plan", "team", *ports)
    assert result.returncode == 2
    assert re.search(r"understudy\.yaml:1:\d+: organisation\.plan: .*the plan team \(--plan\)", result.stderr)


def test_two_that_apply_at_once_leave_one_of_both_whole(server: Server) -> None:
    def declared(number: int) -> Manifest:
        made = Manifest(source="raced")
        mocks = made.projects["raced"].environments["staging"].mocks
        for each in range(50):
            mocks[f"ovr_{each}"].action.respond.status = 200 + number
        return made

    def apply(number: int) -> None:
        with owner(server) as channel:
            for _ in range(5):
                ManifestServiceStub(channel).ApplyManifest(ApplyManifestRequest(manifest=declared(number)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(apply, (1, 2)))
    with owner(server) as channel:
        request = DumpManifestRequest(source="raced")
        kept = ManifestServiceStub(channel).DumpManifest(request).manifest.projects["raced"].environments["staging"]
    assert len(kept.mocks) == 50
    assert len({mock.action.respond.status for mock in kept.mocks.values()}) == 1
