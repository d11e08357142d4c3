"""``understudy serve --config``: what the file declares is in force from the first request on, and follows the file."""

import asyncio
import fcntl
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
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from e2e.conftest import UNDERSTUDY, Server, Start, clean_environment, starting, understudy
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
    """The file of a server that a test starts by itself."""
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
    (source,) = [each for each in status_of(server).manifests if each.watched]
    return source.problem


def mocks_of(server: Server) -> set[str]:
    """The ids of the mocks that the file declares."""
    with owner(server) as channel:
        request = DumpManifestRequest(source="understudy.yaml")
        kept = ManifestServiceStub(channel).DumpManifest(request).manifest.projects["shop"].environments["staging"]
    return set(kept.mocks)


def is_well(server: Server) -> bool:
    return status_of(server).healthy


@dataclass
class Followed:
    """A server that follows a file, as one of several tests has it. ``told`` is what it has printed since."""

    server: Server
    file: Path
    before: int

    def is_told(self, pattern: str) -> Callable[[], bool]:
        return lambda: re.search(pattern, self.server.output()[self.before :]) is not None

    def write(self, text: str, status: int, what: str = "the new status is answered") -> None:
        """Write the file, and wait until its mock answers with a status."""
        self.file.write_text(text)
        eventually(lambda: pay(self.server) == status, what)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a file, with a session that has its mock. To start one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "manifests").mkdir()
    file = folder / "manifests" / "understudy.yaml"
    file.write_text(manifest())
    with starting(folder) as start:
        made = start("--config", str(file))
        switch_on(made)
        yield made


@pytest.fixture
def followed(shared: Server) -> Followed:
    """The shared server with the file as it was at first, in force."""
    file = shared.ready_file.parent / "manifests" / "understudy.yaml"
    if not file.exists() or file.read_text() != manifest() or not is_well(shared):
        file.write_text(manifest())
        eventually(lambda: pay(shared) == 402 and is_well(shared), "the file is as it was at first")
    return Followed(shared, file, len(shared.output()))


def test_the_file_is_in_force_before_anything_accepts(shared: Server) -> None:
    lines = shared.output().splitlines()
    assert re.fullmatch(r"file   .*understudy\.yaml is in force \(3 changes\)", lines[0])
    assert lines[1].startswith("gRPC   accepts")


def test_a_store_that_is_filled_by_a_file_gets_no_sample(shared: Server) -> None:
    with owner(shared) as channel:
        kept = ManifestServiceStub(channel).DumpManifest(DumpManifestRequest()).manifest
    assert "shop" in kept.projects
    assert "checkout" not in kept.projects
    assert "First admin key" in shared.output()


def test_a_file_with_settings_alone_leaves_the_sample(start: Start, file: Path) -> None:
    file.write_text("server: {plan: team}")
    found = status_of(start("--config", str(file)))
    assert (found.counts.projects, found.organisation.plan, list(found.manifests)) == (1, PLAN_TEAM, [])


def test_it_is_shown_as_followed_and_in_force(followed: Followed) -> None:
    (source,) = [each for each in status_of(followed.server).manifests if each.watched]
    shown = (source.source, source.resources, source.problem)
    assert shown == ("understudy.yaml", 3, "")


def test_a_changed_file_is_in_force_without_a_restart(followed: Followed) -> None:
    followed.write(manifest(409), 409)


def test_a_broken_file_keeps_what_was_and_says_why_until_it_is_mended(followed: Followed) -> None:
    server = followed.server
    followed.file.write_text(manifest(900))
    eventually(followed.is_told(r"understudy\.yaml:10:\d+: .*\.status: is 900"), "the problem is logged")
    assert pay(server) == 402
    assert "status: is 900, more than 599" in problem_of(server)
    assert not is_well(server)
    followed.write(manifest(409), 409, "the mended file is in force")
    assert problem_of(server) == ""
    assert is_well(server)


def test_what_an_editor_puts_in_the_place_of_the_file_is_read(followed: Followed) -> None:
    for status in (409, 410):
        partial = followed.file.with_name(".understudy.yaml.swp")
        partial.write_text(manifest(status))
        partial.rename(followed.file)
        eventually(lambda status=status: pay(followed.server) == status, f"{status} is answered")  # type: ignore[misc]


def test_a_file_that_appears_where_a_pattern_looks_is_included(followed: Followed) -> None:
    more = followed.file.parent / "more"
    more.mkdir()
    (more / "a.yaml").write_text("{}")
    followed.write(manifest(409, environment="include: [more/*.yaml]"), 409, "the pattern is read")
    (more / "b.yaml").write_text("mocks: {ovr_b: {matcher: POST /b, action: {respond: {status: 418}}}}")
    eventually(lambda: mocks_of(followed.server) == {"ovr_pay", "ovr_b"}, "the new file is included")


def test_a_folder_that_appears_where_a_pattern_looks_is_followed_too(followed: Followed) -> None:
    teams = followed.file.parent / "teams"
    (teams / "a").mkdir(parents=True)
    (teams / "a" / "mocks.yaml").write_text("mocks: {ovr_a: {matcher: POST /a}}")
    followed.write(manifest(409, environment="include: [teams/*/mocks.yaml]"), 409, "the pattern is read")
    assert mocks_of(followed.server) == {"ovr_pay", "ovr_a"}
    (teams / "b").mkdir()
    (teams / "b" / "mocks.yaml").write_text("mocks: {ovr_b: {matcher: POST /b}}")
    eventually(lambda: mocks_of(followed.server) == {"ovr_pay", "ovr_a", "ovr_b"}, "a new folder is included")


def test_a_body_in_a_file_beside_is_followed(followed: Followed) -> None:
    body = followed.file.parent / "cart.json"
    body.write_text('{"items":1}')
    followed.write(manifest(409).replace("json: {by: file}", "jsonFile: cart.json"), 409)

    def cart() -> str:
        headers = {"x-flowmock-session": "ci-42"}
        return asyncio.run(ask(followed.server.addresses["proxy"], "POST", PAY, headers, "{}")).body

    assert cart() == '{"items":1}'
    body.write_text('{"items":2}')
    eventually(lambda: cart() == '{"items":2}', "the new body is answered")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open for writing")
def test_a_file_that_is_written_slowly_is_never_taken_for_whole(followed: Followed) -> None:
    server = followed.server
    # The first half is a manifest that would do.
    padding = "#" + " " * len(manifest(409)) + "\n"
    whole = manifest(409) + padding + "          ovr_new: {matcher: POST /new}\n"
    command = [sys.executable, "-c", SLOW_WRITER, str(followed.file), whole]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    assert writer.stdout.readline() == "half\n"
    # Told to read, it waits for the writer, and says so after a while.
    server.process.send_signal(signal.SIGHUP)
    eventually(followed.is_told("another process has it open for writing"), "the wait is told")
    assert pay(server) == 402
    writer.communicate("go on\n")
    eventually(lambda: pay(server) == 409, "the whole file is in force")
    assert mocks_of(server) == {"ovr_pay", "ovr_new"}


def test_a_deleted_file_keeps_what_was_and_one_that_comes_back_is_read(followed: Followed) -> None:
    followed.file.unlink()
    eventually(followed.is_told("there is no file|cannot read"), "that it is missing is logged")
    assert pay(followed.server) == 402
    assert "understudy.yaml" in problem_of(followed.server)
    followed.write(manifest(409), 409, "the new file is in force")


def test_another_apply_of_the_same_source_is_told_until_sighup_has_the_file_applied_again(followed: Followed) -> None:
    server = followed.server
    other = Manifest(source="understudy.yaml")
    mock = other.projects["shop"].environments["staging"].mocks["ovr_pay"]
    mock.matcher.path = "/pay"
    mock.action.respond.status = 410
    with owner(server) as channel:
        ManifestServiceStub(channel).ApplyManifest(ApplyManifestRequest(manifest=other))
    assert pay(server) == 410
    assert problem_of(server).startswith("superseded by an apply at ")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: pay(server) == 402, "the file is in force again")
    assert problem_of(server) == ""


def test_changed_settings_are_said_to_need_a_restart(followed: Followed) -> None:
    followed.write(manifest(409, more="server: {api_rate: 5/60}"), 409)
    assert followed.is_told("the settings under `server:` have changed")()


def test_a_start_with_a_file_that_cannot_be_used_changes_nothing(file: Path, tmp_path: Path) -> None:
    file.write_text(manifest(900))
    ports = ("--grpc", "0", "--rest", "0", "--proxy", "0")
    result = understudy("serve", "--config", file, "--data", tmp_path / "data", *ports)
    assert result.returncode == 2
    assert re.search(r"understudy\.yaml:10:\d+: projects\.shop\..*\.status: is 900, more than 599", result.stderr)
    assert "accepts" not in result.stdout
    assert not (tmp_path / "data").exists()


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


def test_two_that_apply_at_once_leave_one_of_both_whole(shared: Server) -> None:
    def declared(number: int) -> Manifest:
        made = Manifest(source="raced")
        mocks = made.projects["raced"].environments["staging"].mocks
        for each in range(50):
            mocks[f"ovr_{each}"].action.respond.status = 200 + number
        return made

    def apply(number: int) -> None:
        with owner(shared) as channel:
            for _ in range(5):
                ManifestServiceStub(channel).ApplyManifest(ApplyManifestRequest(manifest=declared(number)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(apply, (1, 2)))
    with owner(shared) as channel:
        request = DumpManifestRequest(source="raced")
        kept = ManifestServiceStub(channel).DumpManifest(request).manifest.projects["raced"].environments["staging"]
    assert len(kept.mocks) == 50
    assert len({mock.action.respond.status for mock in kept.mocks.values()}) == 1
