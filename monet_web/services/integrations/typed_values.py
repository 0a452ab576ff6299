"""What a person typed for an integration, as parameters, secrets and settings; each rule names its field."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monet_web.connectors.base import Connector, Parameter
from monet_web.domain.errors import BrokenRule
from monet_web.domain.settings import BY_KEY, Settings
from monet_web.models.integrations import Integration

_LONGEST_NAME = 120
_LONGEST_VALUE = 4000


@dataclass(frozen=True, slots=True)
class Typed:
    """Values as a person typed them, sorted by what they are."""

    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


def sorted_by_kind(connector: type[Connector], values: Mapping[str, str]) -> Typed:
    typed = Typed()
    parameters = {one.key: one for one in connector.parameters}
    unknown: list[str] = []
    for key, text in values.items():
        parameter = parameters.get(key)
        if len(text) > _LONGEST_VALUE or "\x00" in text:
            raise BrokenRule(f"The value of {key} is too long or no text.", fix="Type it again.")
        if parameter is None and key not in BY_KEY:
            unknown.append(key)
        elif parameter is None:
            typed.settings[key] = text
        elif not parameter.secret:
            typed.parameters[key] = text.strip()
        elif text.strip():
            typed.secrets[key] = text.strip()  # an empty one keeps the old
    if unknown:
        _refuse_unknown(connector, unknown)
    return typed


def _refuse_unknown(connector: type[Connector], unknown: Sequence[str]) -> None:
    known = [one.key for one in connector.parameters] + list(BY_KEY)
    close = [match for key in unknown for match in difflib.get_close_matches(key, known, n=1)]
    raise BrokenRule(
        f"{connector.label} has no parameter or setting named {', '.join(unknown)}.",
        fix=(f"Is it {', '.join(close)}? " if close else "")
        + f"Connection: {', '.join(one.key for one in connector.parameters)}. Settings: {', '.join(BY_KEY)}.",
    )


def complete(connector: type[Connector], typed: Mapping[str, str]) -> dict[str, str]:
    return {one.key: typed.get(one.key, "") or one.default for one in connector.parameters if not one.secret}


def require(connector: type[Connector], values: Mapping[str, str]) -> None:
    missing = [one for one in connector.parameters if one.required and not values.get(one.key, "").strip()]
    if missing:
        raise BrokenRule(
            f"{connector.label} needs {', '.join(one.key for one in missing)} too.",
            fix=" ".join(f"{one.key}: {_full_stop(one.help or one.label)}" for one in missing),
            field=missing[0].key,
        )


def address_key(connector: type[Connector]) -> str:
    return next((one.key for one in connector.parameters if one.is_address), connector.parameters[0].key)


def _full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BrokenRule(
            f"A name has 1 to {_LONGEST_NAME} characters.",
            fix="Type what you call the shop, as Kava Ltd.",
            field="name",
        )
    if "," in name:
        # Launch masks are separated by commas: this name could never be typed alone.
        raise BrokenRule(
            f"The name “{name}” has a comma in it.", fix="Take it out: commas separate names in a launch.", field="name"
        )
    return name


def check_number_source(connector: type[Connector], settings: Settings) -> None:
    sources = (*connector.number_sources, "series")
    if settings.number_from not in sources:
        raise BrokenRule(
            f"{connector.label} gives no {settings.number_from} numbers.",
            fix=f"Type number_from as one of: {', '.join(sources)}.",
            field="number_from",
        )


def merged(
    integration: Integration, connector: type[Connector], typed: Typed
) -> tuple[dict[str, str], dict[str, str], bool]:
    """Parameters, secrets and whether the address leads elsewhere: what is typed over what is saved."""
    parameters = complete(connector, {**integration.parameters, **typed.parameters})
    leads_to = moved(connector, integration.parameters, parameters)
    if leads_to:
        needed = [one.key for one in connector.parameters if one.secret and integration.secrets.get(one.key)]
        if untyped := [key for key in needed if key not in typed.secrets]:
            raise BrokenRule(
                f"The address of {integration.name} leads to another place now ({leads_to.label}), "
                f"so {', '.join(untyped)} must be typed again.",
                fix="A key is only sent to the address it was typed for. Type the new address and all keys together.",
                field=untyped[0],
            )
    secrets = typed.secrets if leads_to else {**integration.secrets, **typed.secrets}
    return parameters, secrets, leads_to is not None


def moved(connector: type[Connector], before: Mapping[str, str], after: Mapping[str, str]) -> Parameter | None:
    """The address parameter whose scheme, host or port differ."""
    for one in connector.parameters:
        if one.is_address and _place(connector, before, one) != _place(connector, after, one):
            return one
    return None


def _place(connector: type[Connector], values: Mapping[str, str], address: Parameter) -> tuple[object, ...]:
    text = values.get(address.key, "")
    try:
        return connector.place(text)
    except BrokenRule:
        return (text.strip(),)
