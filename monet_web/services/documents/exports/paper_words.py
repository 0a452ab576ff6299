"""The words of documents in Lithuanian and English, and the law that a sale without VAT is named with (Art. 80)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monet_web.domain.treatment import Treatment

LANGUAGES = ("lt", "en", "both")


@dataclass(frozen=True, slots=True)
class Pair:
    """One text in Lithuanian and in English."""

    lt: str
    en: str

    def of(self, language: str) -> str:
        """In one of LANGUAGES; both are parted by a slash, the Lithuanian first, as its law asks."""
        if language == "both" and self.lt != self.en:
            return f"{self.lt} / {self.en}"
        return self.en if language == "en" else self.lt


WORDS: Mapping[str, Pair] = {
    "vat_invoice": Pair("PVM sąskaita faktūra", "VAT invoice"),
    "invoice": Pair("Sąskaita faktūra", "Invoice"),
    "vat_credit_note": Pair("Kreditinė PVM sąskaita faktūra", "VAT credit note"),
    "credit_note": Pair("Kreditinė sąskaita faktūra", "Credit note"),
    "pro_forma": Pair("Išankstinė sąskaita", "Pro-forma invoice"),
    "pro_forma_note": Pair(
        "Tai ne sąskaita faktūra: pardavimas dar neįformintas, PVM pagal ją neatskaitomas.",
        "This is no invoice: the sale is not booked yet and no VAT can be deducted by it.",
    ),
    "copy": Pair("Kopija", "Copy"),
    "copy_note": Pair("Originalą pirkėjui išrašė elektroninė parduotuvė.", "The e-shop gave the buyer the original."),
    "number": Pair("Serija ir numeris", "Series and number"),
    "order": Pair("Užsakymas", "Order"),
    "date": Pair("Išrašymo data", "Date of issue"),
    "supply_date": Pair("Tiekimo data", "Date of supply"),
    "vat_date": Pair("PVM prievolės data", "VAT point date"),
    "credits": Pair("Kredituojama sąskaita", "Credited invoice"),
    "seller": Pair("Pardavėjas", "Seller"),
    "buyer": Pair("Pirkėjas", "Buyer"),
    "code": Pair("Įmonės kodas", "Company code"),
    "vat_code": Pair("PVM mokėtojo kodas", "VAT code"),
    "address": Pair("Adresas", "Address"),
    "bank": Pair("Sąskaita banke", "Bank account"),
    "ship_to": Pair("Pristatymo šalis", "Country of delivery"),
    "line": Pair("Nr.", "No."),
    "name": Pair("Prekė ar paslauga", "Goods or service"),
    "quantity": Pair("Kiekis", "Quantity"),
    "unit_price": Pair("Vieneto kaina be PVM", "Unit price without VAT"),
    "unit_price_plain": Pair("Vieneto kaina", "Unit price"),
    "discount": Pair("Nuolaida", "Discount"),
    "net": Pair("Suma be PVM", "Net"),
    "amount": Pair("Suma", "Amount"),
    "rate": Pair("PVM tarifas", "VAT rate"),
    "taxable": Pair("Apmokestinamoji vertė", "Taxable value"),
    "vat": Pair("PVM", "VAT"),
    "in_eur": Pair("eurais", "in EUR"),
    "eur_rate": Pair("Valiutos kursas", "Exchange rate"),
    "rounding": Pair("Apvalinimas", "Rounding"),
    "total_net": Pair("Iš viso be PVM", "Total without VAT"),
    "total_vat": Pair("Iš viso PVM", "Total VAT"),
    "total": Pair("Iš viso", "Total"),
    "payment": Pair("Apmokėjimas", "Payment"),
    "no_vat": Pair("be PVM", "no VAT"),
    "pieces": Pair("vnt.", "pcs"),
    "page": Pair("psl.", "page"),
    "basis": Pair("Teisinis pagrindas", "Legal basis"),
}

_NOT_PAYER = Pair("Pardavėjas nėra PVM mokėtojas.", "The seller is not a VAT payer.")
_OUTSIDE = Pair("Ne PVM objektas.", "Outside the scope of VAT.")
_SUPPLY_IN_EU = Pair(
    "0 % PVM: tiekimas į kitą ES valstybę, PVM įstatymo 49 str. 1 d. (Direktyvos 2006/112/EB 138 str.).",
    "0 % VAT: intra-Community supply, Article 49(1) of the Lithuanian VAT law (Article 138 of Directive 2006/112/EC).",
)
_EXPORT = Pair(
    "0 % PVM: eksportas, PVM įstatymo 41 str. (Direktyvos 2006/112/EB 146 str.).",
    "0 % VAT: export, Article 41 of the Lithuanian VAT law (Article 146 of Directive 2006/112/EC).",
)
_SERVICE_ABROAD = Pair(
    "Paslauga suteikta ne Lietuvoje: PVM įstatymo 13 str.",
    "Supplied outside Lithuania: Article 13 of the Lithuanian VAT law.",
)
_REVERSE_IN_EU = Pair(
    "Atvirkštinis apmokestinimas: PVM įstatymo 13 str. 2 d. (Direktyvos 2006/112/EB 44 ir 196 str.).",
    "Reverse charge: Article 13(2) of the Lithuanian VAT law (Articles 44 and 196 of Directive 2006/112/EC).",
)
_MARGIN = Pair("Maržos apmokestinimo schema.", "Margin scheme.")
# By the classifier's code, which says more than the rate.
_BY_CODE: Mapping[str, Pair] = {
    "PVM5": Pair(
        "Neapmokestinama PVM: PVM įstatymo 20–33, 112 str.",
        "Exempt from VAT: Articles 20–33 and 112 of the Lithuanian VAT law.",
    ),
    "PVM12": _EXPORT,
    "PVM13": _SUPPLY_IN_EU,
    "PVM25": Pair(
        "Atvirkštinis apmokestinimas: PVM įstatymo 96 str.", "Reverse charge: Article 96 of the Lithuanian VAT law."
    ),
    **dict.fromkeys(("PVM32", "PVM33", "PVM52", "PVM53"), _MARGIN),
}


def legal_reference(treatment: str, rate: Decimal | None, code: str, country: str) -> Pair | None:
    """Why a rate of a document carries no Lithuanian VAT; None where it does. `country`: of delivery.

    `rate` None is no tax. A code of the classifier comes before the treatment of the whole document.
    """
    if treatment == Treatment.NOT_PAYER:
        return None if rate else _NOT_PAYER
    if code in _BY_CODE:
        return _BY_CODE[code]
    if treatment == Treatment.OSS and rate:
        return Pair(
            f"{country} PVM, deklaruojamas per vieno langelio sistemą (OSS).",
            f"VAT of {country}, declared through the one stop shop (OSS).",
        )
    if rate:
        return None
    if treatment == Treatment.EU_COMPANY:
        return _REVERSE_IN_EU if code == "PVM15" else _SUPPLY_IN_EU
    if treatment == Treatment.EXPORT:
        return _SERVICE_ABROAD if code == "PVM15" else _EXPORT
    return _OUTSIDE if rate is None else None


def figure(value: Decimal, language: str, places: int = 2) -> str:
    """`1 234,50`, in English alone `1,234.50`: at least `places` decimals, never a rounded one."""
    exact = max(places, -int(value.normalize().as_tuple().exponent)) if value else places
    text = f"{value:,.{exact}f}"
    if language == "en":
        return text.replace("-", "\u2212")
    return text.replace(",", "\u00a0").replace(".", ",").replace("-", "\u2212")


def plain_figure(value: Decimal, language: str) -> str:
    """A quantity or a rate without needless zeros."""
    return figure(value, language, 0)


def day(value: date) -> str:
    """`2026-11-23`, which both languages read."""
    return value.isoformat()
