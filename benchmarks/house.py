"""A whole installation for a benchmark: database, Redis, the real worker and the real web process, and runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders

SECRET = "benchmarks-only-" * 3
PATIENCE = 1200.0  # seconds; the longest run of any benchmark is over by then
FIRST_DAY = date(2025, 12, 1)  # the plain demo shop's orders are younger


@dataclass
class House:
    """One installation. `environ` is what its programs are started with; `address` is "" without a web process."""

    environ: dict[str, str]
    redis_url: str
    factory: Any
    address: str = ""
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def connect(self, store: str, *, name: str = "Bench", prefix: str = "B-") -> None:
        """Connect the demo store at `store`."""
        from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
        from monet_web.models.base import now_utc
        from monet_web.services.integrations import connect

        values = {"address": store, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET, "number_prefix": prefix}
        values["private_buyers"] = "each"
        with self._session() as session:
            connect.add_integration(
                session, name=name, platform="woocommerce", values=values, now=now_utc(), actor="benchmark"
            )

    def launch(self, name: str = "Bench") -> int:
        """The id of a queued run of everything; no bell is rung yet."""
        from monet_web.models.base import now_utc
        from monet_web.services.opening import open_runs

        with self._session() as session:
            now = now_utc()
            (run,) = open_runs.launch(
                session, mask=name, first=FIRST_DAY, last=now.date(), now=now, actor="benchmark"
            )  # fmt: skip
            return int(run.id)

    def ring(self, run_id: int) -> None:
        """Tell the worker of a run."""
        from monet_web import jobs

        assert jobs.ring([self.run(run_id)], self.redis_url), "Redis does not answer"

    def run(self, run_id: int) -> Any:
        """The row as it is now."""
        from monet_web.models import Run
        from monet_web.models.base import reading

        with self._session() as session, reading(session):
            return session.get_one(Run, run_id, populate_existing=True)

    def wait(self, run_id: int, *, look: Any = None, knows: bool = False) -> float:
        """Seconds that the run took, by its own row, once it has ended well. `look(row)` is called ten times a second.

        Raises SystemExit when something was not registered, or with `knows` was not there already.
        """
        deadline = time.monotonic() + PATIENCE
        while (row := self.run(run_id)).ended_at is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"run {run_id} is not over after {PATIENCE:.0f} s: {row.state} {row.outcomes()}")
            if any(each.poll() is not None for each in self.programs):
                raise SystemExit("a program of the installation has ended; its own lines say why")
            if look is not None:
                look(row)
            time.sleep(0.1)
        if row.error or row.fetched != (row.already_there if knows else row.registered):
            raise SystemExit(f"the run did not register everything: {row.error} {row.outcomes()} {row.findings}")
        return float((row.ended_at - row.started_at).total_seconds())

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program of this installation; it ends with the house."""
        started = subprocess.Popen([sys.executable, *arguments], env=self.environ)
        self.programs.append(started)
        return started

    def end(self) -> None:
        """End its programs, those that do not listen too."""
        for each in self.programs:
            each.terminate()
        for each in self.programs:
            try:
                each.wait(15)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()

    @contextmanager
    def _session(self) -> Iterator[Any]:
        session = self.factory()
        try:
            yield session
        finally:
            session.close()


@contextmanager
def house(url: str, *, port: int = 0) -> Iterator[House]:
    """An installation on the migrated database at `url`, with a worker; with a web process where it has a port."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    from monet_web import embedded
    from monet_web.models.base import sealer

    sealer.bind([import_orders.KEY])
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mh-", ignore_cleanup_errors=True)))
        redis_url = stack.enter_context(embedded.valkey(home))
        engine = create_engine(url)
        stack.callback(engine.dispose)
        factory = sessionmaker(engine, expire_on_commit=False)
        root = Path(__file__).resolve().parent.parent
        environ = {
            **os.environ, "DATABASE_URL": url, "REDIS_URL": redis_url, "SECRET_KEY": SECRET,
            "MONET_ENCRYPTION_KEYS": import_orders.KEY, "MONET_HOME": str(home), "MONET_ALLOW_PRIVATE_ADDRESSES": "1",
            "MONET_URL": f"http://127.0.0.1:{port or 8000}", "MONET_LOG": "text", "PYTHONPATH": str(root),
        }  # fmt: skip
        made = House(environ, redis_url, factory)
        stack.callback(made.end)
        session = factory()
        import_orders.prepare(session)
        session.close()
        made.start(str(root / "worker.py"))
        if port:
            made.start(*web_arguments(url, home, port))
            made.address = f"http://127.0.0.1:{port}"
            await_answer(f"{made.address}/healthz")
        yield made


def cpu(process: Any) -> float:
    """Seconds of CPU that a process, those it waited for and those it still has took."""
    import psutil

    spent = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


def web_arguments(url: str, home: Path, port: int) -> tuple[str, ...]:
    """How `monet run` would start the web process of that database."""
    from monet_web import supervisor
    from monet_web.config import Config

    config = Config(
        database_url=url, is_embedded_database=url.startswith("sqlite"), redis_url=None, secret_key=SECRET,
        encryption_keys=(import_orders.KEY,), home=home,
    )  # fmt: skip
    (web,) = (one for one in supervisor.programs(config, host="127.0.0.1", port=port) if one.name == "web")
    return web.arguments


def await_answer(address: str, seconds: float = 60.0) -> None:
    """Wait until a web process answers. Raises SystemExit when it does not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with opener.open(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {address} after {seconds:.0f} s")


def free_port() -> int:
    """A port that nobody listens at."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
