"""Each code of findings said of many orders at once, where no values are known: a count goes before the phrase."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.domain.findings_corrections import CORRECTION_GENERAL
from monet_web.domain.findings_refunds import REFUND_GENERAL
from monet_web.domain.findings_vat import VAT_GENERAL
from monet_web.domain.sentences import General


def in_general(code: str, language: str = "en") -> General:
    """What a code of CODES means for many orders, in `language` (en | lt)."""
    english, lithuanian = GENERAL[code]
    return lithuanian if language == "lt" else english


GENERAL: Mapping[str, tuple[General, General]] = {
    "item_unknown": (
        General(
            "a product is not among the items",
            "Import the products with the items, or let the integration make items it does not know.",
        ),
        General(
            "prekės nėra prekių sąraše",
            "Įkelkite prekes į prekių sąrašą arba leiskite integracijai kurti nežinomas.",
        ),
    ),
    "common_item_missing": (
        General(
            "the common item does not exist",
            "Make the common item, or choose another one in the integration's settings.",
        ),
        General(
            "bendros prekės nėra",
            "Sukurkite bendrą prekę arba integracijos nuostatose parinkite kitą.",
        ),
    ),
    "warehouse_missing": (
        General("the warehouse does not exist", "Choose an existing warehouse in the integration's settings."),
        General("sandėlio nėra", "Integracijos nuostatose parinkite esamą sandėlį."),
    ),
    "quantity_missing": (
        General(
            "it can't be told how many pieces were sold",
            "Look at the order in the store; once it waits in a journal, type the true quantity on its line.",
        ),
        General(
            "neaišku, kiek vienetų parduota",
            "Pažiūrėkite užsakymą parduotuvėje; kai sąskaita lauks žurnale, įrašykite tikrą kiekį eilutėje.",
        ),
    ),
    "stock_short": (
        General(
            "there is not enough in stock",
            "Receive the goods into the warehouse, or choose another warehouse in the integration's settings.",
        ),
        General(
            "sandėlyje nepakanka prekių",
            "Užpajamuokite prekes į sandėlį arba integracijos nuostatose parinkite kitą sandėlį.",
        ),
    ),
    "total_differs": (
        General(
            "the lines do not come to the store's total",
            "Compare with the orders in the store; what waits is corrected, or the difference accepted as rounding.",
        ),
        General(
            "eilučių suma nelygi parduotuvės sumai",
            "Palyginkite su užsakymais parduotuvėje; laukiančią sąskaitą pataisykite arba skirtumą priimkite.",
        ),
    ),
    "vat_differs": (
        General(
            "the lines do not come to the store's VAT",
            "Compare with the orders in the store; on what waits, correct the VAT of the lines.",
        ),
        General(
            "eilučių PVM nelygus parduotuvės PVM",
            "Palyginkite su užsakymais parduotuvėje; laukiančioje sąskaitoje pataisykite eilučių PVM.",
        ),
    ),
    "difference_rounded": (
        General("cents of rounding lie on a line", "Nothing need be done."),
        General("apvalinimo centai teko eilutei", "Nieko daryti nereikia."),
    ),
    "difference_accepted": (
        General("a difference to the store was accepted", "Nothing need be done."),
        General("skirtumas nuo parduotuvės priimtas", "Nieko daryti nereikia."),
    ),
    "vat_rate_unknown": (
        General(
            "a VAT rate is not valid on the supply date",
            "Correct the rate in the store; a rate that the country had is added with the VAT rates.",
        ),
        General(
            "PVM tarifas tiekimo dieną negaliojo",
            "Pataisykite tarifą parduotuvėje; šalyje galiojusį tarifą pridėkite prie PVM tarifų.",
        ),
    ),
    "tax_rate_missing": (
        General(
            "the store does not say the rate of a tax",
            "Look up the rate in the store; once the invoice waits in a journal, choose it on the line.",
        ),
        General(
            "parduotuvė nenurodo mokesčio tarifo",
            "Sužinokite tarifą parduotuvėje; kai sąskaita lauks žurnale, parinkite jį eilutėje.",
        ),
    ),
    "marketplace_vat": (
        General(
            "the VAT was collected by the marketplace",
            "Register by hand, because this program does not do marketplace-collected VAT.",
        ),
        General(
            "PVM surinko prekyvietė",
            "Registruokite ranka, nes ši programa prekyviečių surinkto PVM netvarko.",
        ),
    ),
    "currency_rate_missing": (
        General("an exchange rate is missing", "Load the rates of those days from a file, or type them."),
        General("trūksta valiutos kurso", "Įkelkite tų dienų kursus iš failo arba įrašykite juos."),
    ),
    "number_missing": (
        General(
            "the store has not given an invoice number",
            "Make the invoices in the store, or choose another source of numbers in the integration's settings.",
        ),
        General(
            "parduotuvė nesuteikė sąskaitos numerio",
            "Išrašykite sąskaitas parduotuvėje arba integracijos nuostatose parinkite kitą numerių šaltinį.",
        ),
    ),
    "period_closed": (
        General(
            "the period is closed",
            "Date the invoices today and keep the supply date, or ask an accountant to reopen the period.",
        ),
        General(
            "laikotarpis uždarytas",
            "Parinkite šiandienos datą, tiekimo datą palikdami, arba paprašykite buhalterio laikotarpį atidaryti.",
        ),
    ),
    "vat_code_invalid": (
        General(
            "the buyer's VAT code can't be right",
            "Ask the buyer for the right code and correct it, or clear it if the buyer is no VAT payer.",
        ),
        General(
            "pirkėjo PVM kodas negali būti teisingas",
            "Paklauskite pirkėjo teisingo kodo ir pataisykite arba ištrinkite, jei pirkėjas nėra PVM mokėtojas.",
        ),
    ),
    "company_code_invalid": (
        General(
            "the buyer's company code can't be right",
            "Ask the buyer for the right code and correct it.",
        ),
        General(
            "pirkėjo įmonės kodas negali būti teisingas",
            "Paklauskite pirkėjo teisingo kodo ir pataisykite.",
        ),
    ),
    "no_lines": (
        General("the order has no lines", "Look at the order in the store and add the lines."),
        General("užsakyme nėra eilučių", "Pažiūrėkite užsakymą parduotuvėje ir pridėkite eilutes."),
    ),
    "total_negative": (
        General(
            "the total is below zero",
            "Compare with the order in the store; what is owed to the buyer is a credit note by hand.",
        ),
        General(
            "suma mažesnė už nulį",
            "Palyginkite su užsakymu parduotuvėje; kas priklauso pirkėjui, įvedama kreditine sąskaita ranka.",
        ),
    ),
    "changed_in_store": (
        General(
            "the order was changed in the store",
            "Compare it with the invoice here; accept the change or ignore it with a reason.",
        ),
        General(
            "užsakymas parduotuvėje pakeistas",
            "Palyginkite su sąskaita čia; pakeitimą priimkite arba nurodę priežastį ignoruokite.",
        ),
    ),
    "invoice_not_registered": (
        General(
            "the invoice of a credit note is not registered",
            "Register the invoice first; the credit note is then checked again by itself.",
        ),
        General(
            "kreditinės sąskaitos pradinė sąskaita neužregistruota",
            "Pirmiau užregistruokite sąskaitą; kreditinė tada bus patikrinta pati.",
        ),
    ),
    "posting_manual": (
        General("the integration waits for you", "Look the invoices over and register them."),
        General("integracija laukia jūsų", "Peržiūrėkite sąskaitas ir užregistruokite."),
    ),
    "change_ignored": (
        General("a change in the store was ignored", "Nothing need be done; a later change asks again."),
        General("pakeitimas parduotuvėje ignoruotas", "Nieko daryti nereikia; vėlesnis pakeitimas klaus iš naujo."),
    ),
    "date_by_hand": (
        General("the date was given by hand", "Nothing need be done."),
        General("data suteikta ranka", "Nieko daryti nereikia."),
    ),
    "number_by_hand": (
        General("a number was given by hand", "Look the invoices over and register them."),
        General("numeris suteiktas ranka", "Peržiūrėkite sąskaitas ir užregistruokite."),
    ),
    **CORRECTION_GENERAL,
    **REFUND_GENERAL,
    **VAT_GENERAL,
}
