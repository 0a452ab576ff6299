"""The sentences of findings: whole, alike in both languages, polite by saying what to do."""

from __future__ import annotations

import re
import string

import pytest

from monet_web.domain.findings import CODES, OF_A_LINE, PERSON_MAY_PASS, Finding, describe
from monet_web.domain.findings_general import GENERAL, in_general
from monet_web.domain.sentences import General, Sentences
from tests.findings_table import PAGE, page

BOTH = [
    (code, language, sentences)
    for code, pair in CODES.items()
    for language, sentences in zip(("en", "lt"), pair, strict=True)
]
IN_GENERAL = [
    (code, language, said) for code, pair in GENERAL.items() for language, said in zip(("en", "lt"), pair, strict=True)
]
each_general = pytest.mark.parametrize(
    ("code", "language", "said"), IN_GENERAL, ids=[f"{code}-{lang}" for code, lang, _ in IN_GENERAL]
)
each_text = pytest.mark.parametrize(
    ("code", "language", "sentences"), BOTH, ids=[f"{code}-{lang}" for code, lang, _ in BOTH]
)


def parts(sentences: Sentences) -> tuple[str, str, str]:
    return sentences.wrong, sentences.why, sentences.fix


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@each_text
def test_every_part_is_a_sentence_that_ends_with_a_full_stop(code: str, language: str, sentences: Sentences) -> None:
    for text in parts(sentences):
        assert text.endswith("."), text
        assert text[0].isupper() or text[0] == "{", text
        assert text == text.strip(), text
        assert "  " not in text, text
        assert ".." not in text, text


@each_text
def test_no_sentence_begs_shouts_or_blames(code: str, language: str, sentences: Sentences) -> None:
    for text in (*parts(sentences), sentences.cause):
        assert_calm(text)


def assert_calm(text: str) -> None:
    words = set(re.findall(r"\w+", text.casefold()))
    banned = {
        "please",
        "sorry",
        "oops",
        "invalid",
        "illegal",
        "failed",
        "error",
        "prašome",
        "atsiprašome",
        "klaida",
    }
    assert not words & banned, text
    assert "!" not in text, text
    assert "?" not in text, text  # a question mark is what a missing value shows as


def test_every_code_is_said_in_general_too() -> None:
    assert list(GENERAL) == list(CODES)


@each_general
def test_in_general_a_phrase_follows_a_count_and_the_fix_holds_without_values(
    code: str, language: str, said: General
) -> None:
    assert in_general(code, language) == said
    for text in (said.phrase, said.fix):
        assert_calm(text)
        assert not placeholders(text)
        assert text == text.strip()
        assert "  " not in text
    assert said.phrase[-1] not in ".:,;"
    assert said.phrase[0].islower() or said.phrase.startswith("PVM")
    assert said.fix.endswith(".")
    assert said.fix[0].isupper()
    assert code.replace("_", " ") != said.phrase


@pytest.mark.parametrize("code", GENERAL)
def test_in_general_lithuanian_is_not_english_left_over(code: str) -> None:
    english, lithuanian = GENERAL[code]
    assert english.phrase != lithuanian.phrase
    assert english.fix != lithuanian.fix


@pytest.mark.parametrize("code", CODES)
def test_both_languages_say_the_same_values(code: str) -> None:
    english, lithuanian = CODES[code]
    assert placeholders("".join(parts(english))) == placeholders("".join(parts(lithuanian)))
    assert placeholders(english.wrong) == placeholders(lithuanian.wrong)
    assert placeholders(english.cause) == placeholders(lithuanian.cause)


@pytest.mark.parametrize("code", CODES)
def test_lithuanian_is_not_english_left_over(code: str) -> None:
    english, lithuanian = CODES[code]
    for one, other in zip(parts(english), parts(lithuanian), strict=True):
        assert one != other
    assert english.cause != lithuanian.cause


@each_text
def test_a_cause_is_a_heading_without_a_full_stop(code: str, language: str, sentences: Sentences) -> None:
    text = sentences.cause
    assert text
    assert text == text.strip()
    assert text[-1] not in ".:,;"
    assert text[0].isupper() or text[0] == "{"


@each_text
def test_a_cause_names_nothing_that_only_one_invoice_has(code: str, language: str, sentences: Sentences) -> None:
    one_invoice_only = {"line", "needed", "on_hand", "missing", "amount", "difference", "order", "version"}
    assert not placeholders(sentences.cause) & one_invoice_only


@each_text
def test_what_to_do_suits_every_invoice_of_the_cause(code: str, language: str, sentences: Sentences) -> None:
    assert not placeholders(sentences.fix) & {"line", "missing"}


def test_codes_of_a_line_exist() -> None:
    assert set(CODES) >= OF_A_LINE == {"quantity_missing", "tax_rate_missing", "quantity_differs", "kind_changed"}


@pytest.mark.parametrize(
    ("finding", "english", "lithuanian"),
    [
        (
            Finding("item_unknown", "KN-01", {"what": "SKU KN-01", "line": "2"}),
            "SKU KN-01 is not among the items",
            "SKU KN-01 nėra tarp prekių",
        ),
        (
            Finding("vat_rate_unknown", "LT 9", {"rate": "9 %", "countries": "LT", "day": "2026-11-24"}),
            "VAT of 9 % is not valid in LT",
            "9 % PVM tarifas šalyje LT negalioja",
        ),
        (
            Finding("stock_short", "MAIN MUG-2", {"item": "MUG-2", "warehouse": "MAIN", "needed": "3"}),
            "MUG-2 is short in warehouse MAIN",
            "Sandėlyje MAIN trūksta MUG-2",
        ),
        (Finding("period_closed", "2026-10"), "The period 2026-10 is closed", "Laikotarpis 2026-10 uždarytas"),
        (
            Finding("refund_not_booked"),
            "The store has refunded part of the order",
            "Parduotuvė grąžino dalį užsakymo sumos",
        ),
        (
            Finding("posting_manual"),
            "Entering is manual for this integration",
            "Šios integracijos sąskaitos registruojamos ranka",
        ),
    ],
)
def test_a_cause_is_said_for_all_its_invoices(finding: Finding, english: str, lithuanian: str) -> None:
    assert describe(finding).cause == english
    assert describe(finding, "lt").cause == lithuanian


def test_codes_fit_their_column() -> None:
    assert all(re.fullmatch(r"[a-z][a-z_]{2,39}", code) for code in CODES)


def test_codes_that_a_person_may_pass_exist() -> None:
    of_refunds = {"refund_waits", "refund_amount_only", "refund_exceeds"}
    assert set(CODES) >= PERSON_MAY_PASS == {"posting_manual", "number_by_hand", *of_refunds}


def test_a_value_that_is_missing_shows_as_a_question_mark_and_never_raises() -> None:
    for code in CODES:
        for language in ("en", "lt"):
            describe(Finding(code), language)
    assert describe(Finding("warehouse_missing")).wrong == "There is no warehouse ?."


def test_values_are_put_in_as_they_are() -> None:
    finding = Finding("warehouse_missing", values={"what": "{what} <b>%s</b>"})
    assert describe(finding).wrong == "There is no warehouse {what} <b>%s</b>."
    assert describe(finding, "lt").wrong == "Sandėlio {what} <b>%s</b> nėra."


def test_an_unknown_language_is_english() -> None:
    assert describe(Finding("posting_manual"), "de").wrong == "Entering is manual for this integration."


@pytest.mark.parametrize(
    ("problem", "english", "lithuanian"),
    [
        ("checksum", "its check digit does not fit", "netinka jo kontrolinis skaitmuo"),
        ("length", "its length is wrong", "netinka jo ilgis"),
        ("country", "its country is not the buyer's", "jo šalis nėra pirkėjo šalis"),
        ("component", "it has a part that such codes can't have", "jame yra dalis, kurios tokiuose koduose nebūna"),
        ("news", "it has a part that such codes can't have", "jame yra dalis, kurios tokiuose koduose nebūna"),
    ],
)
def test_what_is_wrong_with_a_code_is_said_in_the_reader_s_language(
    problem: str, english: str, lithuanian: str
) -> None:
    finding = Finding("vat_code_invalid", values={"what": "LT1", "problem": problem})
    assert describe(finding).wrong == f"The buyer's VAT code LT1 can't be right: {english}."
    assert describe(finding, "lt").wrong == f"Pirkėjo PVM kodas LT1 negali būti teisingas: {lithuanian}."


def test_the_page_lists_exactly_the_codes_with_their_english_sentences() -> None:
    written = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", written, re.MULTILINE)
    assert listed == list(CODES)
    assert written == page(), "`.venv/bin/python -m tests.findings_table` writes docs/findings.md anew"
