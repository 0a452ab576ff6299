"""Findings: what is wrong with an invoice, as a code with values, and the sentences that a person reads.

The closed list of codes is CODES. A sentence has four parts: what is wrong (with the actual values), why it matters,
what to do, and the cause that it shares with other invoices (without the values of this one, such as a line's number);
in English and Lithuanian. Values are text already: amounts as `12.30`, dates as `2026-11-24`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monet_web.domain.findings_corrections import CORRECTION_CODES, LINE_KINDS
from monet_web.domain.findings_refunds import REFUND_CODES
from monet_web.domain.findings_vat import BECAUSE, KINDS, RATES, TREATMENTS, VAT_CODES
from monet_web.domain.sentences import Sentences


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one invoice. `subject` tells equal codes of an invoice apart and groups invoices by cause."""

    code: str
    subject: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    stops: bool = True  # False: a notice, the invoice is registered all the same


@dataclass(frozen=True, slots=True)
class Text:
    """A finding in words, ready to show; `cause` has no full stop, since it is a heading."""

    wrong: str
    why: str
    fix: str
    cause: str


def describe(finding: Finding, language: str = "en") -> Text:
    """The sentences of a finding in `language` (en | lt). A value that is missing shows as `?`, never as an error."""
    english, lithuanian = CODES[finding.code]
    sentences = lithuanian if language == "lt" else english
    values = _Values({"subject": finding.subject} | dict(finding.values))
    if "problem" in values:
        values["problem"] = PROBLEMS.get(values["problem"], PROBLEMS["component"])[1 if language == "lt" else 0]
    for key, words in _WORDS.items():
        if values.get(key) in words:
            values[key] = words[values[key]][1 if language == "lt" else 0]
    return Text(
        sentences.wrong.format_map(values),
        sentences.why.format_map(values),
        sentences.fix.format_map(values),
        sentences.cause.format_map(values),
    )


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


# Findings that stop the program but not a person who registers the invoice by hand.
PERSON_MAY_PASS = frozenset(
    {"posting_manual", "number_by_hand", "refund_waits", "refund_amount_only", "refund_exceeds"}
)

# Codes whose subject is the number of a line: the invoices of one such code have one cause, whatever the line.
OF_A_LINE = frozenset({"quantity_missing", "tax_rate_missing", "quantity_differs", "kind_changed"})

# Values that are keys of words: what the value of that name reads as.
_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "because": BECAUSE, "treatment": TREATMENTS, "kind": KINDS, "rate": RATES,
    "was_kind": LINE_KINDS, "is_kind": LINE_KINDS,
    "figure": {"vat": ("VAT", "PVM"), "base": ("taxable value", "apmokestinamoji vertė")},
}  # fmt: skip

# What can be wrong with a code of a buyer, as part of a sentence.
PROBLEMS: Mapping[str, tuple[str, str]] = {
    "checksum": ("its check digit does not fit", "netinka jo kontrolinis skaitmuo"),
    "length": ("its length is wrong", "netinka jo ilgis"),
    "country": ("its country is not the buyer's", "jo šalis nėra pirkėjo šalis"),
    "component": ("it has a part that such codes can't have", "jame yra dalis, kurios tokiuose koduose nebūna"),
}

CODES: Mapping[str, tuple[Sentences, Sentences]] = {
    "item_unknown": (
        Sentences(
            "{what} on line {line} is not among the items.",
            "Without an item there is no stock to move and no revenue account.",
            "Say which item {what} is, for all invoices at once, or choose it on that line; or import it with the items.",
            "{what} is not among the items",
        ),
        Sentences(
            "{line} eilutės {what} nėra tarp prekių.",
            "Be prekės nėra nei ko nurašyti iš sandėlio, nei pajamų sąskaitos.",
            "Parinkite prekę toje eilutėje, susiekite {what} iškart visose sąskaitose arba įkelkite ją su prekėmis.",
            "{what} nėra tarp prekių",
        ),
    ),
    "common_item_missing": (
        Sentences(
            "The common item {what} for unknown items does not exist.",
            "The integration is set to use it for every item it does not know.",
            "Make the item {what}, or choose another one in the integration's settings.",
            "The common item {what} does not exist",
        ),
        Sentences(
            "Bendros prekės {what} nežinomoms prekėms nėra.",
            "Integracija nustatyta ją naudoti visoms prekėms, kurių nepažįsta.",
            "Sukurkite prekę {what} arba integracijos nuostatose parinkite kitą.",
            "Bendros prekės {what} nėra",
        ),
    ),
    "warehouse_missing": (
        Sentences(
            "There is no warehouse {what}.",
            "Goods can't leave a warehouse that does not exist.",
            "Choose an existing warehouse in the integration's settings.",
            "There is no warehouse {what}",
        ),
        Sentences(
            "Sandėlio {what} nėra.",
            "Iš nesamo sandėlio prekių nurašyti negalima.",
            "Integracijos nuostatose parinkite esamą sandėlį.",
            "Sandėlio {what} nėra",
        ),
    ),
    "quantity_missing": (
        Sentences(
            "Line {line} ({what}) has quantity {quantity} but costs {amount}.",
            "The quantity that leaves the stock can't be told.",
            "Look at the order in the store and type the true quantity on that line.",
            "It can't be told how many pieces of a line were sold",
        ),
        Sentences(
            "{line} eilutės ({what}) kiekis yra {quantity}, o suma {amount}.",
            "Neaišku, kiek nurašyti iš sandėlio.",
            "Pažiūrėkite užsakymą parduotuvėje ir toje eilutėje įrašykite tikrą kiekį.",
            "Neaišku, kiek eilutės vienetų parduota",
        ),
    ),
    "stock_short": (
        Sentences(
            "{item} is short in warehouse {warehouse}: {needed} needed, {on_hand} on hand.",
            "An invoice of goods that are not there would take the balance below zero.",
            "Receive {item} into {warehouse}, or change the warehouse; then check again.",
            "{item} is short in warehouse {warehouse}",
        ),
        Sentences(
            "Sandėlyje {warehouse} trūksta {item}: reikia {needed}, yra {on_hand}.",
            "Nurašius prekes, kurių nėra, likutis taptų neigiamas.",
            "Užpajamuokite {item} į {warehouse} arba pakeiskite sandėlį; tada patikrinkite iš naujo.",
            "Sandėlyje {warehouse} trūksta {item}",
        ),
    ),
    "total_differs": (
        Sentences(
            "The store's total is {store} {currency}, its lines add up to {lines} {currency}.",
            "A difference of {difference} {currency} is more than rounding (up to {limit}) explains.",
            "Compare with the order in the store; correct the lines, or accept the difference as rounding.",
            "The store's total differs from its lines by {subject}",
        ),
        Sentences(
            "Parduotuvės suma yra {store} {currency}, o eilučių suma – {lines} {currency}.",
            "Skirtumas {difference} {currency} didesnis, nei paaiškina apvalinimas (iki {limit}).",
            "Palyginkite su užsakymu parduotuvėje; pataisykite eilutes arba priimkite skirtumą kaip apvalinimą.",
            "Parduotuvės suma nuo eilučių sumos skiriasi {subject}",
        ),
    ),
    "vat_differs": (
        Sentences(
            "The store's VAT{of_rate} is {store} {currency}, that of its lines {lines} {currency}.",
            "The VAT on the invoice must be what the buyer paid, and a difference of {difference} is no rounding.",
            "Compare with the order in the store and correct the VAT of the lines.",
            "The lines do not come to the store's VAT{of_rate}",
        ),
        Sentences(
            "Parduotuvės PVM{of_rate} yra {store} {currency}, o eilučių – {lines} {currency}.",
            "PVM sąskaitoje turi būti toks, kokį sumokėjo pirkėjas; {difference} nėra apvalinimas.",
            "Palyginkite su užsakymu parduotuvėje ir pataisykite eilučių PVM.",
            "Eilučių PVM{of_rate} nelygus parduotuvės PVM",
        ),
    ),
    "difference_rounded": (
        Sentences(
            "The store's {figure}{of_rate} is {store} {currency}, that of its lines {lines} {currency}.",
            "The store's figure stands: line {line} ({what}) carries the {difference}, which is rounding (up to {limit}).",
            "Nothing need be done.",
            "Lines gave way to the store's {figure}{of_rate}",
        ),
        Sentences(
            "Parduotuvės {figure}{of_rate} yra {store} {currency}, o eilučių – {lines} {currency}.",
            "Lieka parduotuvės suma: {difference} tenka {line} eilutei ({what}), tai apvalinimas (iki {limit}).",
            "Nieko daryti nereikia.",
            "Eilutės suderintos: parduotuvės {figure}{of_rate}",
        ),
    ),
    "difference_accepted": (
        Sentences(
            "A difference of {difference} {currency} to the store was accepted.",
            "The store said {store} {currency}, its lines add up to {lines} {currency}; {who} accepted it.",
            "Nothing need be done.",
            "A difference to the store was accepted",
        ),
        Sentences(
            "Priimtas {difference} {currency} skirtumas nuo parduotuvės.",
            "Parduotuvė nurodė {store} {currency}, eilučių suma {lines} {currency}; skirtumą priėmė {who}.",
            "Nieko daryti nereikia.",
            "Skirtumas nuo parduotuvės priimtas",
        ),
    ),
    "vat_rate_unknown": (
        Sentences(
            "VAT of {rate} is not valid in {countries} on {day}.",
            "The tax authority refuses an invoice with a rate that the country did not have on the day of supply.",
            "Correct the rate in the store; for this invoice an accountant chooses the right one, the total staying as paid.",
            "VAT of {rate} is not valid in {countries}",
        ),
        Sentences(
            "{rate} PVM tarifas {day} šalyje {countries} negalioja.",
            "VMI nepriims sąskaitos su tarifu, kurio tiekimo dieną šalyje nebuvo.",
            "Pataisykite tarifą parduotuvėje; šiai sąskaitai teisingą parenka buhalteris, o suma lieka sumokėtoji.",
            "{rate} PVM tarifas šalyje {countries} negalioja",
        ),
    ),
    "tax_rate_missing": (
        Sentences(
            "Line {line} ({what}) carries a tax of {amount} {currency} whose rate the store does not say.",
            "Without a rate the amount can't be put into the VAT register.",
            "Look up the rate in the store and choose it on that line.",
            "The store does not say the rate of a tax",
        ),
        Sentences(
            "{line} eilutėje ({what}) yra {amount} {currency} mokestis, kurio tarifo parduotuvė nenurodo.",
            "Be tarifo sumos negalima įrašyti į PVM registrą.",
            "Sužinokite tarifą parduotuvėje ir parinkite jį toje eilutėje.",
            "Parduotuvė nenurodo mokesčio tarifo",
        ),
    ),
    "marketplace_vat": (
        Sentences(
            "The VAT of line {line} ({what}) was collected by the marketplace.",
            "It is the marketplace that pays it to the state; on our invoice it would be paid twice.",
            "Register by hand, because this program does not do marketplace-collected VAT.",
            "The VAT was collected by the marketplace",
        ),
        Sentences(
            "{line} eilutės ({what}) PVM surinko prekyvietė.",
            "Jį valstybei sumoka prekyvietė; mūsų sąskaitoje jis būtų sumokėtas du kartus.",
            "Registruokite ranka, nes ši programa prekyviečių surinkto PVM netvarko.",
            "PVM surinko prekyvietė",
        ),
    ),
    "currency_rate_missing": (
        Sentences(
            "There is no rate of {currency} for {day}.",
            "The books are in EUR and need the rate of the day of supply; a weekend or bank holiday has that of the day before.",
            "Type units of {currency} for one euro, for example 1.1527, or load the rates from a file.",
            "There is no rate of {currency} for {day}",
        ),
        Sentences(
            "Nėra {currency} kurso {day} dienai.",
            "Apskaita vedama eurais ir reikia tiekimo dienos kurso; savaitgalį ar banko šventę galioja prieš ją buvusios dienos.",
            "Įrašykite, kiek {currency} yra vienas euras, pavyzdžiui, 1,1527, arba įkelkite kursus iš failo.",
            "Nėra {currency} kurso {day} dienai",
        ),
    ),
    "number_missing": (
        Sentences(
            "The store has not given order {order} an invoice number yet.",
            "The integration takes the number from the store's own invoice.",
            "Make the invoice in the store and import again, or choose another source of numbers in the settings.",
            "The store has not given an invoice number yet",
        ),
        Sentences(
            "Parduotuvė užsakymui {order} dar nesuteikė sąskaitos numerio.",
            "Integracija numerį ima iš pačios parduotuvės sąskaitos.",
            "Išrašykite sąskaitą parduotuvėje ir importuokite iš naujo arba nuostatose parinkite kitą numerių šaltinį.",
            "Parduotuvė dar nesuteikė sąskaitos numerio",
        ),
    ),
    "period_closed": (
        Sentences(
            "The invoice is dated {day}, and periods until {closed} are closed.",
            "A closed period has been reported; nothing may be added to it.",
            "Date the invoice today and keep the supply date, or ask an accountant to reopen the period.",
            "The period {subject} is closed",
        ),
        Sentences(
            "Sąskaitos data {day}, o laikotarpiai iki {closed} uždaryti.",
            "Už uždarytą laikotarpį jau atsiskaityta; nieko jame pridėti negalima.",
            "Parinkite šiandienos datą, tiekimo datą palikdami, arba paprašykite buhalterio laikotarpį atidaryti.",
            "Laikotarpis {subject} uždarytas",
        ),
    ),
    "vat_code_invalid": (
        Sentences(
            "The buyer's VAT code {what} can't be right: {problem}.",
            "A wrong code is refused in the VAT register, and the buyer could not deduct the VAT.",
            "Ask the buyer for the right code and correct it, or clear it if the buyer is no VAT payer.",
            "The buyer's VAT code {what} can't be right",
        ),
        Sentences(
            "Pirkėjo PVM kodas {what} negali būti teisingas: {problem}.",
            "Neteisingo kodo PVM registras nepriims, o pirkėjas negalės atskaityti PVM.",
            "Paklauskite pirkėjo teisingo kodo ir pataisykite arba ištrinkite, jei pirkėjas nėra PVM mokėtojas.",
            "Pirkėjo PVM kodas {what} negali būti teisingas",
        ),
    ),
    "company_code_invalid": (
        Sentences(
            "The buyer's company code {what} can't be right: {problem}.",
            "The company could not be found under it in the register.",
            "Ask the buyer for the right code and correct it.",
            "The buyer's company code {what} can't be right",
        ),
        Sentences(
            "Pirkėjo įmonės kodas {what} negali būti teisingas: {problem}.",
            "Pagal jį įmonės registre rasti nepavyktų.",
            "Paklauskite pirkėjo teisingo kodo ir pataisykite.",
            "Pirkėjo įmonės kodas {what} negali būti teisingas",
        ),
    ),
    "no_lines": (
        Sentences(
            "The order has a total of {total} {currency} but no lines.",
            "An invoice must say what was sold.",
            "Look at the order in the store and add the lines.",
            "The order has no lines",
        ),
        Sentences(
            "Užsakymo suma {total} {currency}, bet eilučių nėra.",
            "Sąskaitoje turi būti nurodyta, kas parduota.",
            "Pažiūrėkite užsakymą parduotuvėje ir pridėkite eilutes.",
            "Užsakyme nėra eilučių",
        ),
    ),
    "total_negative": (
        Sentences(
            "The total is {total} {currency}, below zero.",
            "An invoice for less than nothing is a credit note.",
            "Compare with the order in the store; delete it here or register a credit note by hand.",
            "The total is below zero",
        ),
        Sentences(
            "Suma yra {total} {currency}, mažesnė už nulį.",
            "Sąskaita su neigiama suma yra kreditinė.",
            "Palyginkite su užsakymu parduotuvėje; ištrinkite ją arba ranka registruokite kreditinę sąskaitą.",
            "Suma mažesnė už nulį",
        ),
    ),
    "changed_in_store": (
        Sentences(
            "The order was changed in the store: {what}.",
            "The invoice here was corrected or registered before, so it was left as it is.",
            "Compare the two; accept the change or ignore it with a reason.",
            "The order was changed in the store",
        ),
        Sentences(
            "Užsakymas parduotuvėje pakeistas: {what}.",
            "Sąskaita čia jau buvo pataisyta arba užregistruota, todėl palikta tokia, kokia yra.",
            "Palyginkite abi; pakeitimą priimkite arba nurodę priežastį ignoruokite.",
            "Užsakymas parduotuvėje pakeistas",
        ),
    ),
    "invoice_not_registered": (
        Sentences(
            "The credit note belongs to invoice {what}, which is not registered yet.",
            "What is not registered can't be credited.",
            "Register the invoice first; the credit note is then checked again by itself.",
            "The invoice {what} of the credit note is not registered yet",
        ),
        Sentences(
            "Kreditinė sąskaita priklauso sąskaitai {what}, kuri dar neužregistruota.",
            "Neužregistruotos sąskaitos kredituoti negalima.",
            "Pirmiau užregistruokite sąskaitą; kreditinė tada bus patikrinta pati.",
            "Kreditinės sąskaitos pradinė sąskaita {what} dar neužregistruota",
        ),
    ),
    "posting_manual": (
        Sentences(
            "Entering is manual for this integration.",
            "Its settings say that every invoice waits for you.",
            "Look it over and register it.",
            "Entering is manual for this integration",
        ),
        Sentences(
            "Šios integracijos sąskaitos registruojamos ranka.",
            "Nuostatose nurodyta, kad kiekviena sąskaita laukia jūsų.",
            "Peržiūrėkite ir užregistruokite.",
            "Šios integracijos sąskaitos registruojamos ranka",
        ),
    ),
    "change_ignored": (
        Sentences(
            "A change in the store was ignored: {what}.",
            "{by} gave the reason “{reason}”.",
            "Nothing need be done; a later change of the order asks again.",
            "A change in the store was ignored",
        ),
        Sentences(
            "Pakeitimas parduotuvėje ignoruotas: {what}.",
            "{by} nurodė priežastį „{reason}“.",
            "Nieko daryti nereikia; vėlesnis užsakymo pakeitimas klaus iš naujo.",
            "Pakeitimas parduotuvėje ignoruotas",
        ),
    ),
    "date_by_hand": (
        Sentences(
            "The invoice is dated {day} by hand instead of {instead}; the supply date is kept.",
            "A closed period has been reported; what came later is dated when it was entered.",
            "Nothing need be done.",
            "The date was given by hand",
        ),
        Sentences(
            "Sąskaita ranka datuota {day} vietoj {instead}; tiekimo data palikta.",
            "Už uždarytą laikotarpį jau atsiskaityta; kas atėjo vėliau, datuojama įvedimo diena.",
            "Nieko daryti nereikia.",
            "Data suteikta ranka",
        ),
    ),
    "number_by_hand": (
        Sentences(
            "The number {number} was given by hand, because {taken} belongs to another document.",
            "A number that somebody typed is looked over before the invoice is entered.",
            "Look it over and register it.",
            "The number was given by hand",
        ),
        Sentences(
            "Numeris {number} suteiktas ranka, nes {taken} priklauso kitam dokumentui.",
            "Ranka įrašytas numeris peržiūrimas prieš registruojant sąskaitą.",
            "Peržiūrėkite ir užregistruokite.",
            "Numeris suteiktas ranka",
        ),
    ),
    **CORRECTION_CODES,
    **REFUND_CODES,
    **VAT_CODES,
}
