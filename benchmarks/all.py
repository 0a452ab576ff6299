"""Every benchmark, one after the other, and one table: what is wanted and what was measured.

    python benchmarks/all.py [--full] [--only 3,6] [--json]

Small sizes take some ten minutes on two idle cores, `--full` those of the targets an hour. Each script runs in
processes of its own and is stopped by nothing that another one found. Exit code 1 when a target is missed or a script
failed. On a machine that does other work too, ratios hold and seconds do not: see docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Measure:
    """One target: of which point, the script with its sizes, the key it prints, and the bound (`at_least` or not)."""

    point: int
    says: str
    script: str
    key: str
    bound: float
    at_least: bool = False
    small: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    databases: tuple[str, ...] = BOTH

    def is_met(self, value: float) -> bool:
        """True when the value is on the right side of the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def wanted(self) -> str:
        """`at least 0.5`."""
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"


_GROWTH = (("growth", "--many", "50000", "--orders", "2000"), ("growth", "--many", "1000000", "--orders", "5000"))
_PAGES = (("pages", "--many", "50000"), ("pages", "--many", "1000000"))
_WATCHED = (("--orders", "10000"), ("--orders", "40000"))

MEASURES = (
    Measure(1, "import / floor", "import_orders", "ratio", 0.5, True, ("--orders", "2000"), ("--orders", "10000")),
    Measure(2, "import beside a million / beside none", "many_invoices", "growth", 1.15, False, *_GROWTH),
    Measure(2, "known ones again, times faster", "many_invoices", "known_faster_beside_many", 5, True, *_GROWTH),
    Measure(
        3, "memory of 100,000 orders / of 5,000", "memory", "ratio", 1.1,
        small=("--few", "2000", "--many", "8000"), full=("--few", "5000", "--many", "100000"),
    ),
    Measure(
        4, "four questions at once / one", "slow_store", "ratio", 3.5, True,
        ("--orders", "4000"), ("--orders", "10000"),
    ),
    Measure(5, "pages slower than twice", "many_invoices", "slower_than_twice", 0, False, *_PAGES),
    Measure(5, "pages with more statements", "many_invoices", "other_statements", 0, False, *_PAGES),
    Measure(5, "median ms of all pages", "many_invoices", "median_ms", 50, False, *_PAGES),
    Measure(6, "cores of 200 watchers", "watching", "cores", 0.5, False, *_WATCHED),
    Measure(6, "import alone / watched", "watching", "slowdown", 1.1, False, *_WATCHED),
    Measure(
        7, "four workers / one", "workers", "ratio", 1.8, True, ("--orders", "1000"), ("--orders", "4000"),
        databases=("postgresql",),
    ),
    Measure(8, "seconds to `monet run`", "start", "run_again", 5.0, databases=("",)),
    Measure(8, "seconds to `monet run`, first", "start", "run_first", 5.0, databases=("",)),
    Measure(8, "seconds to `monet --help`", "start", "help", 0.3, databases=("",)),
    Measure(
        0, "orders a second / the peer's", "peer", "ratio", 10.0, True, ("--orders", "20"), ("--orders", "100"),
        databases=("",),
    ),
)  # fmt: skip


def main() -> None:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the sizes of the targets")
    parser.add_argument("--only", default="", help="points, separated by commas; 0 is the peer")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    points = {int(point) for point in arguments.only.split(",") if point}
    chosen = [one for one in MEASURES if not points or one.point in points]
    rows = measured(chosen, is_full=arguments.full, is_told=not arguments.json)
    if arguments.json:
        print(json.dumps(rows))
    else:
        print(f"\nload of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    sys.exit(0 if all(row["met"] for row in rows) else 1)


def measured(chosen: list[Measure], *, is_full: bool, is_told: bool) -> list[dict[str, Any]]:
    """A row for each measure and database, told as soon as it is known; a script runs once for all of its keys."""
    rows: list[dict[str, Any]] = []
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    if is_told:
        print(f"{'point':>5}  {'what':<36} {'database':<11} {'wanted':<14} {'measured':>9}")
    for one in chosen:
        for database in one.databases:
            command = (
                one.script,
                *(one.full if is_full else one.small),
                *(("--database", database) if database else ()),
            )
            if command not in found:
                found[command] = run(*command)
            value = found[command].get(one.key)
            if isinstance(value, list):
                value = len(value)
            met = value is not None and one.is_met(value)
            rows.append(
                {"point": one.point, "what": one.says, "database": database, "wanted": one.wanted(), "measured": value,
                 "met": met}
            )  # fmt: skip
            if is_told:
                told = "failed" if value is None else f"{value:g}"
                point = one.point or "peer"
                missed = "" if met else "  missed"
                print(f"{point:>5}  {one.says:<36} {database:<11} {one.wanted():<14} {told:>9}{missed}", flush=True)
    return rows


def run(script: str, *arguments: str) -> dict[str, Any]:
    """What a script prints as JSON; nothing when it fails, whose lines are on stderr then."""
    command = [sys.executable, HERE / f"{script}.py", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode or not done.stdout.strip():
        print(f"{script}.py failed with code {done.returncode}", file=sys.stderr)
        return {}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
