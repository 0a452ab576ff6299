"""What reading an order needs of its shop, cut out of what the bridge or a backup says; and the shop's time zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from monet_web.connectors.base import Json
from monet_web.connectors.foreign import Misfit, Row, part, text, zone_of
from monet_web.domain.errors import NeedsOwner

ZONE_OF_OLD = "time_zone"  # the parameter, and its key in a context

_SETTINGS = ("config_timezone", "config_currency", "config_complete_status", "config_processing_status")
_TABLES = ("tax_rates", "tax_rules", "custom_fields")


def context_of(info: Row, *, zone_of_old: str) -> dict[str, Json]:
    """Only what changes an order: kept beside its raw pages, and the same as long as the shop's settings are."""
    try:
        settings = part(info, "settings")
    except Misfit:
        settings = {}
    context: dict[str, Any] = {table: info.get(table) or [] for table in _TABLES}
    context["settings"] = {key: settings[key] for key in _SETTINGS if key in settings}
    if not settings.get("config_timezone"):
        context[ZONE_OF_OLD] = zone_of_old
    return context


def zone_in(context: Mapping[str, Json]) -> ZoneInfo:
    """The zone of the shop's dates: since 3.0.3 its own setting, before that what a person typed. Raises Misfit."""
    own = text(part(context, "settings"), "config_timezone")
    return zone_of(own or text(context, ZONE_OF_OLD), "config_timezone")


def needed_zone(context: Mapping[str, Json]) -> ZoneInfo:
    """The same, for asking. Raises NeedsOwner with what to do."""
    try:
        return zone_in(context)
    except Misfit as misfit:
        found = str(misfit)
    raise NeedsOwner(
        f"The time zone of the shop's dates is not known. {found}",
        fix="Type it in the field “Time zone”, for example Europe/Vilnius. It must be the one that the shop's dates "
        "are written in.",
    )
