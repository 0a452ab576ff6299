"""The bridge as files to download: alone, and as packages for the installers of OpenCart 3 and 4, without secrets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from monet_web.connectors.base import Download

_THEN = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell: no build differs from another
_FILE_MODE, _FOLDER_MODE = 0o100644, 0o40755


@cache
def bridge() -> bytes:
    """monet_bridge.php, for any version."""
    return _source("monet_bridge.php")


@cache
def package_of_three() -> bytes:
    """For OpenCart 3: its installer takes the folder `upload` apart."""
    controller = "upload/catalog/controller/extension/monet.php"
    return _zip({controller: _source(f"oc3/{controller}"), "upload/system/library/monet_bridge.php": bridge()})


@cache
def package_of_four() -> bytes:
    """For OpenCart 4, which calls the extension by the zip's own name: it must be monet.ocmod.zip."""
    own = ("install.json", "admin/controller/module/monet.php", "catalog/controller/monet.php")
    return _zip({**{name: _source(f"oc4/{name}") for name in own}, "system/library/monet_bridge.php": bridge()})


def _source(name: str) -> bytes:
    return resources.files("monet_web.connectors.opencart").joinpath("bridge", *name.split("/")).read_bytes()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files, wherever and whenever it is made: nothing is compressed, no clock is asked."""
    folders = {f"{folder}/" for name in files for folder in PurePosixPath(name).parents if folder.name}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted({*folders, *files}):
            entry = zipfile.ZipInfo(name, date_time=_THEN)
            entry.create_system = 3  # whatever made it: its modes are Unix's
            entry.external_attr = (_FOLDER_MODE if name in folders else _FILE_MODE) << 16
            archive.writestr(entry, files.get(name, b""))
    return packed.getvalue()


DOWNLOADS = (
    Download(
        "file",
        "monet_bridge.php",
        "Any version, 2.1 to 4.1: put it beside index.php and config.php.",
        "application/octet-stream",
        bridge,
    ),
    Download(
        "oc3",
        "monet-oc3.ocmod.zip",
        "OpenCart 3, for Extensions → Installer.",
        "application/zip",
        package_of_three,
    ),
    Download(
        "oc4",
        "monet.ocmod.zip",
        "OpenCart 4, for Extensions → Installer; leave the file's name as it is.",
        "application/zip",
        package_of_four,
    ),
)
