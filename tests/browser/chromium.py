"""The system's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    # Tests run as root in a container, where its sandbox can't be made.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Nothing of its own on the network.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """Where it is, None when this machine has none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def required() -> str:
    """Where it is. Without one a test is skipped with a reason; under CI it fails, since nobody would notice."""
    found = path()
    if found is not None:
        return found
    sentence = "There is no Chromium, so no page was tried in a browser. Type: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A headless browser until the block ends."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        try:
            yield started
        finally:
            started.close()
