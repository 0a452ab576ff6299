"""The bridge's packages: the same bytes each time, laid out as the shops' installers want them, with no secret."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

from monet_web.connectors import CONNECTORS
from monet_web.connectors.opencart import OpenCart, downloads
from monet_web.connectors.opencart.api import OLDEST_BRIDGE

PACKAGES = [downloads.package_of_three, downloads.package_of_four]
BUILD = """
import hashlib
from monet_web.connectors.opencart import downloads
print(*(hashlib.sha256(one.content()).hexdigest() for one in downloads.DOWNLOADS))
"""


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_another_process_at_another_place_and_hour_makes_the_same_bytes() -> None:
    made = subprocess.run(
        [sys.executable, "-c", BUILD],
        env={"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert made.stdout.split() == [hashlib.sha256(one.content()).hexdigest() for one in downloads.DOWNLOADS]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_stands_before_what_is_in_it(package: Callable[[], bytes]) -> None:
    names = list(unpacked(package()))
    for name in names:
        above = name.rstrip("/").rpartition("/")[0]
        assert not above or names.index(f"{above}/") < names.index(name)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_in_a_package_tells_when_or_where_it_was_made(package: Callable[[], bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(package())) as archive:
        for entry in archive.infolist():
            assert (entry.date_time, entry.compress_type, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 0, 3)
            assert entry.external_attr >> 16 in (0o100644, 0o40755)


def test_both_packages_hold_the_one_bridge() -> None:
    three, four = unpacked(downloads.package_of_three()), unpacked(downloads.package_of_four())
    assert three["upload/system/library/monet_bridge.php"] == downloads.bridge()
    assert four["system/library/monet_bridge.php"] == downloads.bridge()
    assert [name for name in three if not name.endswith("/")] == [
        "upload/catalog/controller/extension/monet.php",
        "upload/system/library/monet_bridge.php",
    ]
    assert {name for name in four if not name.endswith("/")} == {
        "install.json",
        "admin/controller/module/monet.php",
        "catalog/controller/monet.php",
        "system/library/monet_bridge.php",
    }


def test_the_installer_of_4_takes_the_description() -> None:
    said = json.loads(unpacked(downloads.package_of_four())["install.json"])
    assert said["code"] == "monet"
    assert len(said["link"]) >= 3  # 4.0.2.3 refuses a shorter one
    assert f"VERSION = '{said['version']}'" in downloads.bridge().decode()
    assert tuple(int(part) for part in said["version"].split(".")) >= OLDEST_BRIDGE


def test_the_names_are_those_that_the_steps_speak_of() -> None:
    steps = " ".join(OpenCart.setup_steps)
    assert [one.file_name for one in OpenCart.downloads] == [
        "monet_bridge.php",
        "monet-oc3.ocmod.zip",
        "monet.ocmod.zip",
    ]
    assert all(one.file_name in steps for one in OpenCart.downloads)


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
def test_no_two_downloads_of_a_platform_have_one_name(kind: str) -> None:
    names = [one.key for one in CONNECTORS[kind].downloads]
    assert len(set(names)) == len(names)
