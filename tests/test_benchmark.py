"""The benchmark runs as its own help says, from any folder, and its keys are there. How fast it is, no test asks."""

from __future__ import annotations

import importlib.util
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


@pytest.mark.slow
def test_the_benchmark_of_memory_looks_at_the_real_worker(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT.with_name("memory.py")), "--few", "100", "--many", "300", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["peak_mb_of_100"] > 40  # no Python with a database library needs less
    assert abs(found["ratio"] - found["peak_mb_of_300"] / found["peak_mb_of_100"]) < 0.01


def test_the_table_of_all_names_scripts_that_are_there_and_judges_by_its_bounds() -> None:
    spec = importlib.util.spec_from_file_location("all_benchmarks", SCRIPT.with_name("all.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert {one.point for one in module.MEASURES} == set(range(9))  # 0 is the peer
    for one in module.MEASURES:
        assert SCRIPT.with_name(f"{one.script}.py").exists()
        beyond = one.bound - 0.01 if one.at_least else one.bound + 0.01
        assert (one.is_met(one.bound), one.is_met(beyond)) == (True, False)
