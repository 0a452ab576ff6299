"""`monet run`: everything on one machine, started in order, kept alive, ended in order with Redis last."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from types import FrameType

from monet_web import embedded, queues
from monet_web.config import CHECKOUT, DEFAULT_URL, Config
from monet_web.demo.stores import ports

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_BETWEEN_PINGS = 2.0
# Whoever typed `monet run` waits for the page; the others load meanwhile only if it takes longer than this.
SECONDS_FOR_THE_PAGE = 10.0
LONGEST_DELAY = 60.0  # between two starts of a child that keeps dying; one that lived longer begins anew at 1 s
# An import at work may finish its page of orders; what it leaves goes back to the queue by itself.
SECONDS_TO_END = 15.0
SECONDS_TO_END_AT_ONCE = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """One child process: its name in what we say, and its arguments to this Python.

    `after_web`: it starts when the web page answers, or after ten seconds, so that both do not load at once.
    """

    name: str
    arguments: tuple[str, ...]
    after_web: bool = False


def programs(config: Config, *, host: str, port: int, store_port: int | None = None) -> tuple[Program, ...]:
    """What runs beside Redis, in the order of starting; the demo stores too where they have a port."""
    # SQLite has one writer: one process with many threads; each page that follows a run holds one of them.
    processes, threads = (1, 32) if config.is_embedded_database else (2, 32)
    web = Program(
        "web",
        (
            *("-m", "gunicorn", "--worker-class", "gthread", "--workers", str(processes), "--threads", str(threads)),
            *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
            # Pages that follow a run ask every two seconds, and a connection that rests holds no thread.
            *("--keep-alive", "10"),
            # Live pages never end by themselves.
            *("--graceful-timeout", "3", "--log-level", "warning"),
            *("--logger-class", "monet_web.gunicorn_logger.GunicornLogger"),
            # gunicorn's own socket for its control tool would be outside MONET_HOME.
            "--no-control-socket",
            "monet_web.app:from_environment()",
        ),
    )
    demo = ("-m", "monet_web.cli", "demo", "--quiet", "--platform", "all", "--port", str(store_port))
    stores = () if store_port is None else (Program("demo stores", demo),)
    return (
        *stores,
        web,
        Program("worker", (str(CHECKOUT / "worker.py"),), after_web=True),
        # The timetable of all goes on while that one is busy with an import.
        Program("ticker", (str(CHECKOUT / "worker.py"), "--queue", queues.TIMETABLE), after_web=True),
        Program("scheduler", ("-m", "monet_web.scheduler"), after_web=True),
    )


def run(
    config: Config,
    *,
    port: int = 8000,
    host: str = "127.0.0.1",
    store_port: int | None = None,
    prepare: Callable[[], Sequence[str]] | None = None,
) -> int:
    """Run until Ctrl-C or SIGTERM; then 0. 1, with a sentence, when it can't start.

    `store_port`: the demo stores are served from there on. `prepare` is called once the database is up to date and
    before the web process starts (first link, demo data); the lines it gives are said when the web page answers.
    """
    if not _is_free(host, port):
        _say(f"port {port} is taken by another program. Type another one: ./monet run --port {port + 1}")
        return 1
    for each in () if store_port is None else ports(store_port).values():
        if not _is_free("127.0.0.1", each):
            _say(
                f"port {each}, where a demo store would answer, is taken by another program. "
                f"Type another first one: ./monet run --demo --store-port {each + 1}"
            )
            return 1
    if config.url in {None, DEFAULT_URL}:
        config = replace(config, url=f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}")  # noqa: S104
    apply_migrations(config)
    lines = () if prepare is None else prepare()

    def tell() -> None:
        _say(f"ready: {config.url}  (Ctrl-C ends it)")
        for line in lines:
            print(line, flush=True)

    try:
        with _stop_signals() as stop, _redis(config) as redis_url:
            environ = {**os.environ, "REDIS_URL": redis_url, "MONET_URL": config.url or "", "PYTHONPATH": str(CHECKOUT)}
            keep_redis = (lambda: embedded.ensure_running(config.home)) if config.redis_url is None else None
            supervise(
                programs(config, host=host, port=port, store_port=store_port),
                environ=environ,
                stop=stop,
                keep_redis=keep_redis,
                on_answer=tell,
                health_url=f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}/healthz",  # noqa: S104
            )
    except embedded.EmbeddedRedisFailed as error:
        _say(str(error))
        return 1
    _say("ended.")
    return 0


def apply_migrations(config: Config) -> None:
    """Bring the database's tables up to date; nothing happens when they are. Raises NeedsOwner for a newer one."""
    # Loaded late: the start's own errors shall come without waiting for the database's libraries.
    from monet_web.migrate import upgrade

    upgrade(config.database_url)


class Stop(threading.Event):
    """Set by the first signal; a second one means: at once."""

    at_once = False

    def signalled(self, _number: int, _frame: FrameType | None) -> None:
        """A signal handler."""
        self.at_once = self.is_set()
        self.set()


class Child:
    """A program that is started again whenever it ends, after a delay that doubles."""

    def __init__(self, program: Program, environ: dict[str, str]) -> None:
        self.program = program
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._delay = 1.0

    def start(self) -> None:
        """Start it in a session of its own, where the terminal's Ctrl-C does not reach it before us."""
        self._process = subprocess.Popen(
            [sys.executable, *self.program.arguments],
            env=self._environ,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self._started_at = time.monotonic()

    def look(self) -> None:
        """Notice that it ended, or start it again when its delay is over."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_again_at:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        self.sweep()
        self._process = None
        if now - self._started_at > LONGEST_DELAY:
            self._delay = 1.0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        _say(f"{self.program.name} {how}; it is started again in {self._delay:.0f} s.")
        self._start_again_at = now + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def sweep(self) -> None:
        """Kill what a program that was killed left behind of its own: RQ's scheduler, gunicorn's workers."""
        if self._process is not None and self._process.poll() is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """True when no process of it is left to wait for."""
        return self._process is None or self._process.poll() is not None


def supervise(
    programs: tuple[Program, ...],
    *,
    environ: dict[str, str],
    stop: Stop,
    health_url: str,
    on_answer: Callable[[], None],
    keep_redis: Callable[[], str] | None = None,
) -> None:
    """Keep the programs running until `stop` is set, then end them; `on_answer` is called when the web first answers.

    `keep_redis` is called every two seconds; it starts the embedded Redis again when that was killed.
    """
    children = [Child(program, environ) for program in programs]
    has_answered = False
    next_ping = time.monotonic() + SECONDS_BETWEEN_PINGS
    held_until = time.monotonic() + SECONDS_FOR_THE_PAGE
    started = [child for child in children if not child.program.after_web]
    try:
        for child in started:
            child.start()
        while not stop.wait(SECONDS_BETWEEN_LOOKS):
            if len(started) < len(children) and (has_answered or time.monotonic() >= held_until):
                started = children
            for child in started:
                child.look()
            if keep_redis is not None and time.monotonic() >= next_ping:
                keep_redis()
                next_ping = time.monotonic() + SECONDS_BETWEEN_PINGS
            if not has_answered and _answers(health_url):
                has_answered = True
                on_answer()
    finally:
        _end(children, stop)
        for child in children:
            child.sweep()


def _end(children: list[Child], stop: Stop) -> None:
    # A worker ends after its job at the first SIGTERM, at once at the second.
    for number, seconds in (
        (signal.SIGTERM, SECONDS_TO_END),
        (signal.SIGTERM, SECONDS_TO_END_AT_ONCE),
        (signal.SIGKILL, SECONDS_TO_END_AT_ONCE),
    ):
        left = [child for child in children if not child.has_ended()]
        for child in left:
            child.signal(number)
        deadline = time.monotonic() + seconds
        was_at_once = stop.at_once
        while not all(child.has_ended() for child in left):
            is_hurried = stop.at_once and not was_at_once
            if time.monotonic() >= deadline or is_hurried:
                names = ", ".join(child.program.name for child in left if not child.has_ended())
                _say(f"still at work: {names}.")
                break
            time.sleep(0.05)
        else:
            return


@contextmanager
def _stop_signals() -> Iterator[Stop]:
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop.signalled) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _redis(config: Config) -> Iterator[str]:
    with nullcontext(config.redis_url) if config.redis_url else embedded.valkey(config.home) as redis_url:
        yield redis_url


# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    # Killed with -9 we can't end our children, and they would keep the port; Linux can do it for us.
    if sys.platform == "linux":
        _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _answers(health_url: str) -> bool:
    # Without the proxies of the environment, which know nothing of this machine's own addresses.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(health_url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _say(sentence: str) -> None:
    print(f"monet: {sentence}", flush=True)
