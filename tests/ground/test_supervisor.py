"""`monet run`: children that die come back, everything ends in order, and Redis ends last."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from monet_web import embedded, supervisor
from monet_web.config import CHECKOUT, Config
from monet_web.supervisor import Program, Stop

NOWHERE = "http://127.0.0.1:1/healthz"


def wait_until(what: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def supervise_until(done: Callable[[], Any], *programs: Program, stop: Stop | None = None, **more: Any) -> None:
    """Supervise in this process; a thread sets `stop` once `done` holds."""
    stop = stop or Stop()

    def watch() -> None:
        try:
            wait_until(done)
        finally:
            stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    supervisor.supervise(
        programs,
        environ=dict(os.environ),
        stop=stop,
        **{"health_url": NOWHERE, "on_answer": lambda: None, **more},
    )
    watcher.join()


def test_a_child_that_dies_is_started_again_with_a_growing_delay(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    starts = tmp_path / "starts"
    starts.touch()
    code = f"open({str(starts)!r}, 'a').write('x'); raise SystemExit(3)"
    supervise_until(lambda: len(starts.read_text()) == 3, Program("worker", ("-c", code)))
    said = capfd.readouterr().out.splitlines()
    assert said[:2] == [
        "monet: worker ended with exit code 3; it is started again in 1 s.",
        "monet: worker ended with exit code 3; it is started again in 2 s.",
    ]


def test_a_child_gets_time_for_the_job_in_hand(tmp_path: Path) -> None:
    started, finished = tmp_path / "started", tmp_path / "finished"
    code = (
        "import signal, time\n"
        f"def end(*_):\n    time.sleep(1); open({str(finished)!r}, 'w'); raise SystemExit\n"
        f"signal.signal(signal.SIGTERM, end); open({str(started)!r}, 'w')\n"
        "while True: time.sleep(1)"
    )
    supervise_until(started.exists, Program("worker", ("-c", code)))
    assert finished.exists()


def test_a_child_that_will_not_end_is_asked_twice_and_then_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "SECONDS_TO_END", 1.0)
    monkeypatch.setattr(supervisor, "SECONDS_TO_END_AT_ONCE", 1.0)
    started = tmp_path / "started"
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'asked\\n'))\n"
        f"open({str(started)!r}, 'w').write(str(os.getpid()))\nwhile True: time.sleep(1)"
    )
    supervise_until(lambda: started.exists() and started.read_text(), Program("worker", ("-c", code)))
    said = capfd.readouterr().out
    assert said.count("asked") == 2
    assert said.count("still at work: worker") == 2
    assert not psutil.pid_exists(int(started.read_text()))


def test_the_address_is_told_once_when_the_web_answers() -> None:
    port = free_port()
    told: list[str] = []
    code = (
        "import http.server as h\n"
        "class Alive(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        "    def log_message(self, *_): pass\n"
        f"h.HTTPServer(('127.0.0.1', {port}), Alive).serve_forever()"
    )
    supervise_until(
        lambda: told,
        Program("web", ("-c", code)),
        health_url=f"http://127.0.0.1:{port}/healthz",
        on_answer=lambda: told.append("ready"),
    )
    assert told == ["ready"]


def test_others_load_once_the_page_answers(tmp_path: Path) -> None:
    """The page's own program tells when it begins; the worker tells whether it had answered by then."""
    port, told = free_port(), tmp_path / "told"
    web = (
        "import http.server, time\n"
        "class Page(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        f"        open({str(told)!r}, 'a').write('w')\n"
        "        self.send_response(200); self.end_headers()\n"
        f"time.sleep(0.5); http.server.HTTPServer(('127.0.0.1', {port}), Page).serve_forever()"
    )
    worker = f"open({str(told)!r}, 'a').write('x'); import time; time.sleep(60)"
    supervise_until(
        lambda: told.exists() and "x" in told.read_text(),
        Program("worker", ("-c", worker), after_web=True),
        Program("web", ("-c", web)),
        health_url=f"http://127.0.0.1:{port}/healthz",
    )
    assert set(told.read_text()[:-1]) == {"w"}  # a busy machine may be asked twice
    assert told.read_text()[-1] == "x"


def test_others_do_not_wait_for_a_page_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "SECONDS_FOR_THE_PAGE", 0.3)
    told = tmp_path / "told"
    worker = f"open({str(told)!r}, 'w').close(); import time; time.sleep(60)"
    supervise_until(told.exists, Program("worker", ("-c", worker), after_web=True))


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = Config.from_environment({"MONET_HOME": str(tmp_path)})
        assert supervisor.run(config, port=port) == 1
    assert f"port {port} is taken by another program. Type another one: ./monet run --port" in capsys.readouterr().out


def test_a_taken_port_of_the_demo_store_is_said_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = Config.from_environment({"MONET_HOME": str(tmp_path)})
        assert supervisor.run(config, port=free_port(), store_port=port) == 1
    assert "Type another first one: ./monet run --demo --store-port" in capsys.readouterr().out


def test_sqlite_is_served_by_one_process_of_many_threads(tmp_path: Path) -> None:
    config = Config.from_environment({"MONET_HOME": str(tmp_path)})
    web = next(each for each in supervisor.programs(config, host="127.0.0.1", port=1) if each.name == "web")
    assert "--workers 1 --threads 32" in " ".join(web.arguments)


def test_only_the_demo_starts_demo_stores(tmp_path: Path) -> None:
    config = Config.from_environment({"MONET_HOME": str(tmp_path)})
    names = [each.name for each in supervisor.programs(config, host="127.0.0.1", port=1)]
    assert names == ["web", "worker", "ticker", "scheduler"]
    names = [each.name for each in supervisor.programs(config, host="127.0.0.1", port=1, store_port=2)]
    assert names == ["demo stores", "web", "worker", "ticker", "scheduler"]
    store = supervisor.programs(config, host="127.0.0.1", port=1, store_port=2)[0]
    assert store.arguments == ("-m", "monet_web.cli", "demo", "--quiet", "--platform", "all", "--port", "2")


def readiness(port: int) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))
    except OSError:
        return {"ok": False}


def is_ready(running: "subprocess.Popen[str]", port: int) -> bool:
    assert running.poll() is None, "it ended before it was ready; see the file `said` in MONET_HOME"
    return bool(readiness(port)["ok"])


def children_of(process: int, word: str) -> list[psutil.Process]:
    alive = [child for child in psutil.Process(process).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if any(word in part for part in child.cmdline())]


RUN = (
    "import os, sys; from monet_web import supervisor; from monet_web.config import Config\n"
    "sys.exit(supervisor.run(Config.from_environment(os.environ), port=int(sys.argv[1])))"
)


def start_everything(home: Path, port: int) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    with (home / "said").open("a") as said:
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(port)],
            cwd=CHECKOUT,
            env={**kept, "MONET_HOME": str(home)},
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )


def end_redis(home: Path) -> None:
    """Whatever a failed test left: the last one to leave stops it."""
    with embedded.valkey(home):
        pass


@pytest.mark.slow
def test_everything_starts_survives_and_ends(tmp_path: Path) -> None:
    port = free_port()
    said = tmp_path / "said"
    with start_everything(tmp_path, port) as running:
        try:
            wait_until(lambda: is_ready(running, port))
            worker, ticker = children_of(running.pid, "worker.py")
            assert ticker.cmdline()[-2:] == ["--queue", "timetable"]
            # Ready is said before the worker has forked RQ's scheduler.
            wait_until(lambda: worker.children(recursive=True))
            left_behind = worker.children(recursive=True)
            worker.kill()
            os.kill(int((tmp_path / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
            wait_until(lambda: embedded.answers(tmp_path))
            wait_until(lambda: len(children_of(running.pid, "worker.py")) == 2)
            wait_until(lambda: readiness(port)["ok"])
            all_of_them = list(psutil.Process(running.pid).children(recursive=True))
            assert len(all_of_them) >= 5
            before = len(said.read_text())
            running.send_signal(signal.SIGINT)
            running.wait(timeout=30)
        finally:
            running.kill()
            running.wait()
            end_redis(tmp_path)
    assert running.returncode == 0
    assert f"monet: ready: http://127.0.0.1:{port}  (Ctrl-C ends it)" in said.read_text()
    assert "monet: worker was ended by signal 9; it is started again in 1 s." in said.read_text()
    # Only the end: whoever spoke to the Redis that was killed complained of it.
    at_the_end = said.read_text()[before:]
    assert "Error" not in at_the_end, at_the_end
    assert at_the_end.splitlines()[-1] == "monet: ended."
    assert left_behind
    assert not any(child.is_running() for child in [*left_behind, *all_of_them])
    assert not embedded.answers(tmp_path)


@pytest.mark.slow
def test_killed_without_mercy_it_leaves_the_port_free_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    for is_last in (False, True):
        with start_everything(tmp_path, port) as running:
            try:
                wait_until(lambda: is_ready(running, port))
                left = psutil.Process(running.pid).children(recursive=True)
                if is_last:
                    running.terminate()
                    assert running.wait(30) == 0
            except BaseException:
                running.kill()
                running.wait()
                end_redis(tmp_path)
                raise
            finally:
                running.kill()
        _, alive = psutil.wait_procs(left, timeout=15)
        assert not alive
    assert not embedded.answers(tmp_path)
