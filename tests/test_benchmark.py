"""The benchmark runs as its own help says, from any folder, and its keys are there. How fast it is, no test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "import_orders.py"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_benchmark_prints_its_keys(database: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--orders", "120", "--database", database, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"orders_per_second", "floor_per_second", "ratio", "peak_mb"} <= found.keys()
    assert found["orders"] == 120
