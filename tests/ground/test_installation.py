"""The demo stores' addresses: announced while they are served, of this machine only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monet_web.installation import DEMO_FILE, announced_demo, demo_addresses


def test_an_address_passes_while_its_store_is_served(tmp_path: Path) -> None:
    assert demo_addresses(tmp_path) == ()
    with announced_demo(tmp_path, "127.0.0.1:8080"):
        with announced_demo(tmp_path, "127.0.0.1:8081"):
            assert demo_addresses(tmp_path) == ("127.0.0.1:8080", "127.0.0.1:8081")
        assert demo_addresses(tmp_path) == ("127.0.0.1:8080",)
        assert (tmp_path / DEMO_FILE).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / DEMO_FILE).exists()


def test_a_store_that_was_killed_passes_no_more(tmp_path: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    (tmp_path / DEMO_FILE).write_text(f"127.0.0.1:8080 {gone.stdout.strip()}\n")
    assert demo_addresses(tmp_path) == ()


@pytest.mark.parametrize("address", ["10.0.0.1:80", "127.0.0.1.evil.example:80", "127.0.0.1", "db:5432", "127.0.0.1:x"])
def test_no_other_machine_can_be_announced(tmp_path: Path, address: str) -> None:
    (tmp_path / DEMO_FILE).write_text(f"{address} {os.getpid()}\nnonsense\n")
    assert demo_addresses(tmp_path) == ()
    with pytest.raises(ValueError, match="this machine only"), announced_demo(tmp_path, address):
        pass
