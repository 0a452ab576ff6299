"""Why i.SAF would refuse something, in both languages: what is wrong, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from monet_web.domain.isaf import Refusal


@dataclass(frozen=True, slots=True)
class Words:
    """Both sentences; `mend` names where it is mended: company, vat, terms, rates, invoice, classifier, "" nowhere."""

    wrong: str
    fix: str
    mend: str

    @property
    def sentence(self) -> str:
        """Both as one text."""
        return f"{self.wrong} {self.fix}"


# code: (what is wrong, what to do) in English, the same in Lithuanian, where it is mended.
_WORDS: dict[str, tuple[str, str, str, str, str]] = {
    "not_lithuania": (
        "The company is of {country}, and i.SAF is the register of Lithuania.", "File what {country} asks for.",
        "Įmonė yra iš {country}, o i.SAF yra Lietuvos registras.", "Teikite tai, ko prašo {country}.", "company",
    ),
    "not_payer": (
        "The company was no VAT payer in this month, so it files no i.SAF.",
        "Correct the days as VAT payer if they are wrong.",
        "Šį mėnesį įmonė nebuvo PVM mokėtoja, tad i.SAF neteikia.",
        "Pataisykite PVM mokėtojo datas, jei jos klaidingos.", "vat",
    ),
    "company_code": (
        "The company's code “{code}” is no number of up to 11 digits.", "Type it in the settings, as 123456789.",
        "Įmonės kodas „{code}“ nėra iki 11 skaitmenų skaičius.", "Įrašykite jį nustatymuose, pvz., 123456789.",
        "company",
    ),
    "company_incomplete": (
        "The company is a VAT payer, and its name or VAT code is not filled in, so its invoices show none.",
        "Type them in the settings.",
        "Įmonė yra PVM mokėtoja, o jos pavadinimas arba PVM kodas neįrašytas, tad ir sąskaitose jo nėra.",
        "Įrašykite juos nustatymuose.", "company",
    ),
    "part_missing": (
        "The part's name is not said yet.",
        "Say it below once: a file of the same name replaces the one before, so choose one that no other program uses.",
        "Dar nepasakytas rinkmenos dalies pavadinimas.",
        "Įrašykite jį žemiau kartą: to paties pavadinimo rinkmena pakeičia ankstesnę, tad kita programa jo nenaudotų.",
        "terms",
    ),
    "too_many": (
        "The month has {count} documents, and a file takes {most}.",
        "Ask the maker of this program for a file in parts.",
        "Mėnuo turi {count} dokumentų, o rinkmenoje telpa {most}.", "Prašykite programos kūrėjo rinkmenos dalimis.",
        "",
    ),
    "oss_undecided": (
        "It was sold under OSS, and nobody has said whether such sales go into i.SAF.",
        "Ask the tax authority, then say it below once.",
        "Parduota pagal OSS, o dar nepasakyta, ar tokie pardavimai teikiami i.SAF.",
        "Paklauskite VMI ir vieną kartą nurodykite žemiau.", "terms",
    ),
    "number_missing": (
        "It has no number.", "Credit it and enter it anew.",
        "Ji neturi numerio.", "Kredituokite ją ir išrašykite iš naujo.", "invoice",
    ),
    "number_long": (
        "Its number has {length} signs, and i.SAF takes {most}.", "Credit it and enter it anew with a shorter prefix.",
        "Jos numeryje {length} ženklų, o i.SAF priima {most}.",
        "Kredituokite ją ir išrašykite iš naujo su trumpesniu priešdėliu.", "invoice",
    ),
    "vat_code_odd": (
        "The buyer's VAT code “{code}” does not begin with the letters of a country, or has an impossible length.",
        "Re-issue it to the buyer with the right code.",
        "Pirkėjo PVM kodas „{code}“ neprasideda šalies raidėmis arba yra netinkamo ilgio.",
        "Išrašykite ją iš naujo pirkėjui su teisingu kodu.", "invoice",
    ),
    "company_code_long": (
        "The buyer's company code “{code}” is longer than 35 signs.", "Re-issue it to the buyer with the right code.",
        "Pirkėjo įmonės kodas „{code}“ ilgesnis nei 35 ženklai.",
        "Išrašykite ją iš naujo pirkėjui su teisingu kodu.", "invoice",
    ),
    "country_odd": (
        "The buyer's country “{country}” is no country's code of two letters (ISO 3166-1).",
        "Re-issue it to the buyer with the right country.",
        "Pirkėjo šalis „{country}“ nėra šalies dviejų raidžių kodas (ISO 3166-1).",
        "Išrašykite ją iš naujo pirkėjui su teisinga šalimi.", "invoice",
    ),
    "original_missing": (
        "The credit note does not say which registered invoice it credits.", "Register that invoice first.",
        "Kreditinė sąskaita nenurodo, kurią įregistruotą sąskaitą tikslina.", "Pirma įregistruokite tą sąskaitą.",
        "invoice",
    ),
    "eur_missing": (
        "Its amounts are not known in EUR: no rate of {currency} for {day}.",
        "Add the rate, credit it and enter it anew.",
        "Jos sumos eurais nežinomos: nėra {currency} kurso {day} dienai.",
        "Pridėkite kursą, kredituokite ją ir išrašykite iš naujo.", "rates",
    ),
    "code_missing": (
        "Its amount at {rate} % has no classifier code.", "Add the code, credit it and enter it anew.",
        "Jos suma, apmokestinta {rate} %, neturi klasifikatoriaus kodo.",
        "Pridėkite kodą, kredituokite ją ir išrašykite iš naujo.", "classifier",
    ),
    "code_odd": (
        "“{code}” is no classifier code as PVM1.", "Correct the code, credit it and enter it anew.",
        "„{code}“ nėra klasifikatoriaus kodas, kaip PVM1.",
        "Pataisykite kodą, kredituokite ją ir išrašykite iš naujo.", "classifier",
    ),
    "rate_odd": (
        "A rate of {rate} % has more than two decimals.", "Credit it and enter it anew at the right rate.",
        "Tarifas {rate} % turi daugiau nei du skaitmenis po kablelio.",
        "Kredituokite ją ir išrašykite iš naujo su teisingu tarifu.", "invoice",
    ),
    "totals_differ": (
        "Its rows come to {rows} EUR without VAT, the document says {document} EUR.",
        "Tell the maker of this program, and leave it out of the file until then.",
        "Jos eilutės sudaro {rows} EUR be PVM, dokumente – {document} EUR.",
        "Praneškite programos kūrėjui, o kol kas palikite ją ne rinkmenoje.", "invoice",
    ),
    "amount_large": (
        "{amount} EUR is more than i.SAF takes.", "Look at the invoice.",
        "{amount} EUR yra daugiau, nei priima i.SAF.", "Peržiūrėkite sąskaitą.", "invoice",
    ),
}  # fmt: skip
CODES = frozenset(_WORDS)


def said(refusal: Refusal, language: str = "en") -> Words:
    """The sentences of a refusal; `language` en or lt."""
    wrong, fix, wrong_lt, fix_lt, mend = _WORDS[refusal.code]
    if language == "lt":
        wrong, fix = wrong_lt, fix_lt
    return Words(wrong.format(**refusal.values), fix.format(**refusal.values), mend)
