"""How long it takes until `./monet run` is ready, and until `monet --help` answers, once everything is installed.

    python benchmarks/start.py [--rounds 3] [--json]

`run_first`: seconds of `./monet run` with an empty home, which makes the database, until it says "ready" and the page
is there. `run_again`: the same home another time (median); `run_cpu`: seconds of CPU that all its programs took until
then, which a busy machine changes least. `work_again`: until its worker has taken a job too, so that
nothing that is queued waits longer. `help`: seconds of `monet --help` (median of nine). `helps_imports`: modules that
help loads beyond the standard library and click; on a busy machine they tell more than seconds.
Targets: 5 s and 0.3 s.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
from house import cpu, free_port

ROOT = Path(__file__).resolve().parent.parent
TARGET_RUN, TARGET_HELP = 5.0, 0.3
PATIENCE = 120.0


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    import_orders.report(measure(arguments.rounds), as_json=arguments.json)


def measure(rounds: int) -> dict[str, Any]:
    """All of it, in an installation of its own."""
    with tempfile.TemporaryDirectory(prefix="ms-", ignore_cleanup_errors=True) as folder:
        environ = {name: text for name, text in os.environ.items() if name not in _NOT_OURS}
        environ["MONET_HOME"] = f"{folder}/home"
        started("--help", environ=environ)  # so that whatever is compiled at the first start is
        helps = [started("--help", environ=environ) for _ in range(9)]
        first = ready(environ)[0]
        again = [ready(environ) for _ in range(rounds)]
    return {
        "run_first": round(first, 2),
        "run_again": round(statistics.median(one[0] for one in again), 2),
        "run_cpu": round(statistics.median(one[1] for one in again), 2),
        "work_again": round(statistics.median(one[2] for one in again), 2),
        "target_run": TARGET_RUN,
        "help": round(statistics.median(helps), 3),
        "target_help": TARGET_HELP,
        "helps_imports": len(imported_by_help(environ)),
        "load": round(os.getloadavg()[0], 1),
    }


# An installation of its own is the embedded default; and compiled modules are kept, as they are for everybody.
_NOT_OURS = {
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MONET_ENCRYPTION_KEYS", "MONET_URL", "PYTHONDONTWRITEBYTECODE",
}  # fmt: skip


def started(*arguments: str, environ: dict[str, str]) -> float:
    """Seconds of one command of `monet`."""
    began = time.perf_counter()
    subprocess.run([ROOT / "monet", *arguments], env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def ready(environ: dict[str, str]) -> tuple[float, float, float]:
    """Seconds until `./monet run` is ready, of CPU until then, and until its worker did a job; it is ended then."""
    import psutil
    import requests

    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [ROOT / "monet", "run", "--port", str(port)], env=environ, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("monet: ready"):
                break
        else:
            raise SystemExit("monet run ended before it was ready; its lines above say why")
        answer = requests.get(f"http://127.0.0.1:{port}/", timeout=30)
        answer.raise_for_status()
        web, spent = time.perf_counter() - began, cpu(psutil.Process(process.pid))
        worked(Path(environ["MONET_HOME"]), began + PATIENCE)
        return web, spent, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait()


def worked(home: Path, until: float) -> None:
    """Wait until a worker of this home has done a job that costs nothing."""
    from rq import Queue
    from rq.job import JobStatus

    from monet_web import embedded, queues

    with queues.connect(embedded.url(home)) as redis:
        job = Queue("default", connection=redis).enqueue("time.monotonic", result_ttl=60)
        while job.get_status(refresh=True) is not JobStatus.FINISHED:
            if time.perf_counter() > until:
                raise SystemExit("no worker took a job")
            time.sleep(0.02)


def imported_by_help(environ: dict[str, str]) -> set[str]:
    """Packages that help loads beyond the standard library and click."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "monet_web.cli", "--help"],
        env=environ, cwd=ROOT, capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines() if "|" in line}
    ours = {"click", "monet_web", "site", "zipimport", "imported package"}
    return {name for name in names - ours if name not in sys.stdlib_module_names and not name.startswith("_")}


if __name__ == "__main__":
    main()
