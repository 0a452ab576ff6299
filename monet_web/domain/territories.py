"""Where a parcel goes, as VAT sees it: home, another EU state, Northern Ireland, or out of the EU's VAT area.

Some places are part of an EU state and yet outside its VAT area (Art. 6 of Directive 2006/112/EC): goods sent
there are exported. Stores name them by a code of their own or only by the postcode.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from monet_web.domain.vat import EU, vat_country


class Place(StrEnum):
    """Of a delivery."""

    HOME = "home"
    EU = "eu"
    NORTHERN_IRELAND = "northern_ireland"  # inside the EU for goods, though its rates are the British ones
    OUTSIDE = "outside"


# ISO codes of their own: Åland, the Canaries and Ceuta and Melilla, the French overseas, San Marino, the Vatican …
_OWN_CODES = frozenset(
    {"AX", "IC", "EA", "GP", "MQ", "GF", "RE", "YT", "MF", "BL", "PM", "NC", "PF", "WF", "TF", "SM", "VA", "AD"}
)

_POSTCODES: dict[str, re.Pattern[str]] = {
    "ES": re.compile(r"(35|38|51|52)\d{3}"),  # Las Palmas, Tenerife, Ceuta, Melilla
    "FI": re.compile(r"22\d{3}"),  # Åland
    "IT": re.compile(r"23041|23030|22061|22060"),  # Livigno, Campione d'Italia
    "DE": re.compile(r"78266|27498"),  # Büsingen, Heligoland
    "FR": re.compile(r"9[78]\d{3}"),  # overseas; Monaco (980xx) is told apart below
    "GR": re.compile(r"6308[67]"),  # Mount Athos
}
_MONACO = re.compile(r"980\d{2}")
_BELFAST = re.compile(r"BT\d")


@lru_cache(maxsize=5000)
def place_of(country: str, postcode: str, home: str) -> Place:
    """The place of a delivery to `country` (ISO code, "" when nobody knows: then home) and `postcode`."""
    code = country.strip().upper()
    digits = re.sub(r"[^A-Z0-9]", "", postcode.upper())
    digits = re.sub(r"^(ES|FI|IT|DE|FR|GR|EL|F|D|I|E)(?=\d)", "", digits)
    if not code:
        return Place.HOME
    if code == "XI" or (code in ("GB", "UK") and _BELFAST.match(digits)):
        return Place.NORTHERN_IRELAND
    land = vat_country(code)
    if code in _OWN_CODES or _is_outside(land, digits):
        return Place.OUTSIDE
    if land == vat_country(home):
        return Place.HOME
    return Place.EU if land in EU else Place.OUTSIDE


def _is_outside(land: str, postcode: str) -> bool:
    pattern = _POSTCODES.get(land)
    if pattern is None or not pattern.fullmatch(postcode):
        return False
    return not (land == "FR" and _MONACO.fullmatch(postcode))
