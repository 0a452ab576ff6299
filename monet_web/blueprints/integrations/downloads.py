"""What a platform wants put into its shops, as files to download. They hold no key: one file is for everybody."""

from __future__ import annotations

from io import BytesIO

from flask import abort, send_file
from flask.typing import ResponseReturnValue

from monet_web.blueprints.access import needs
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.connectors import CONNECTORS
from monet_web.models.users import Role


@integrations.get("/downloads/<platform>/<key>")
@needs(Role.ADMINISTRATOR)
def download(platform: str, key: str) -> ResponseReturnValue:
    """One of the platform's files, under the name that the shop's installer wants."""
    connector = CONNECTORS.get(platform)
    found = next((one for one in connector.downloads if one.key == key), None) if connector else None
    if found is None:
        abort(404)
    return send_file(
        BytesIO(found.content()), mimetype=found.media_type, as_attachment=True, download_name=found.file_name
    )
