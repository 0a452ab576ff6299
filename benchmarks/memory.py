"""How much memory a worker needs for a long import, beside a short one: it must not grow with the orders.

    python benchmarks/memory.py [--few 5000] [--many 100000] [--database sqlite|postgresql] [--json]

The real worker imports each from a demo store of that many orders into a database of its own. `peak_mb` is the largest
that the program which ran the import ever was, with the process that reads orders beside it where there is one (the
kernel's own mark, VmHWM). `ratio` = peak of the many / of the few. Target: at most 1.1.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
from house import house

TARGET = 1.1


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=5000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    import_orders.report(measure(arguments.few, arguments.many, arguments.database), as_json=arguments.json)


def measure(few: int, many: int, database: str) -> dict[str, Any]:
    """Both, each by a worker of its own."""
    found: dict[str, Any] = {"database": database}
    peaks = []
    with import_orders.databases(database) as made:
        for orders in (few, many):
            peak, seconds = peak_of(orders, next(made))
            peaks.append(peak)
            found[f"peak_mb_of_{orders}"] = round(peak, 1)
            found[f"seconds_of_{orders}"] = round(seconds, 1)
    return {**found, "ratio": round(peaks[1] / peaks[0], 3), "target": TARGET}


def peak_of(orders: int, url: str) -> tuple[float, float]:
    """Megabytes at the largest, and seconds, of one import."""
    with ExitStack() as stack:
        store = stack.enter_context(import_orders.demo_store(orders))
        installation = stack.enter_context(house(url))
        installation.connect(store)
        run_id = installation.launch()
        installation.ring(run_id)
        peaks: dict[int, float] = {}
        seconds = installation.wait(run_id, look=lambda row: peaks.update(high_water(row.worker)))
        return sum(peaks.values()), seconds


def high_water(worker: str | None) -> dict[int, float]:
    """Process → megabytes that it has needed at most so far: of a run's worker and of those that it started."""
    import psutil

    if not worker:
        return {}
    found = {}
    try:
        process = psutil.Process(int(worker.split(":")[1]))
        for pid in [process.pid, *(child.pid for child in process.children(recursive=True))]:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            found[pid] = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024
    except (OSError, psutil.NoSuchProcess, StopIteration):
        return found  # it ends, or has ended
    return found


if __name__ == "__main__":
    main()
