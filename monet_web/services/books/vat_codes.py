"""Is a VAT code written as its country writes them. Whether the payer exists only VIES can tell."""

from __future__ import annotations

from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from monet_web.domain.codes import normalise_vat_code
from monet_web.domain.vat import EU, vat_country

_PREFIXES = (EU - {"GR"}) | {"EL", "XI"}  # Greece files as EL; XI is Northern Ireland


def vat_code_problem(code: str, country: str) -> str | None:
    """What is wrong with the VAT code of a buyer in `country` (ISO code, "" when not known); None when fine.

    `checksum`: mistyped. `length`: too short or too long. `component`: letters where digits belong, or
    the like. `country`: the prefix is of no EU country though the buyer is in one, or there is neither.
    A code without prefix is taken for one of the buyer's country. Codes from outside the EU are not checked. A firm may
    be registered in another country than its address, so the two need not agree.
    """
    code = normalise_vat_code(code)
    buyer = vat_country(country)
    if not code:
        return "length"
    if not code[:2].isalpha():
        if not buyer:
            return "country"
        code = ("EL" if buyer == "GR" else buyer) + code
    if code.startswith("GR"):  # often typed with the ISO code; the number itself may still be right
        code = "EL" + code[2:]
    prefix = code[:2]
    if prefix not in _PREFIXES:
        return "country" if buyer in EU else None
    try:
        vat.validate(code)
    except InvalidLength:
        return "length"
    except InvalidChecksum:
        return "checksum"
    except ValidationError:
        return "component"
    return None
