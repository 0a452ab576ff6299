"""Both languages: nothing is left untranslated, no placeholder is lost, and a Lithuanian page has no English on it."""

from __future__ import annotations

import ast
import html as entities
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from babel.util import pathmatch
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.blueprints import sentences
from monet_web.connectors import CONNECTORS
from monet_web.languages import catalog, extraction
from monet_web.languages.said import said, shown
from monet_web.models import Integration, Invoice, Item, Journal, Run, User
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from tests.services.scripted import ScriptedStore
from tests.web.integrating import browser, words
from tests.web.mended import press
from tests.web.monday import waiting_month

Factory = sessionmaker[Session]
CHECKOUT = Path(__file__).parent.parent.parent
KEYWORDS = DEFAULT_KEYWORDS | {"_l": None}
HOW_TO_ADD = "docs/operations.md says how the catalog is brought up to date"


# --- the catalog -------------------------------------------------------------------------------------------------


@cache
def extracted() -> dict[tuple[str | None, str | tuple[str, ...]], str]:
    """(context, message) → where it stands, as babel.cfg tells pybabel."""
    found: dict[tuple[str | None, str | tuple[str, ...]], str] = {}
    with (CHECKOUT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    for path in sorted((CHECKOUT / "monet_web").rglob("*")):
        name = path.relative_to(CHECKOUT).as_posix()
        pattern, method = next(((one, how) for one, how in methods if pathmatch(one, name)), ("", ""))
        if method in ("", "ignore"):
            continue
        of_file = extract_from_file(method, path, KEYWORDS, options=options.get(pattern, {}))
        for line, message, _comments, context in of_file:
            found.setdefault((context, message), f"{name}:{line}")
    return found


@cache
def lithuanian() -> Catalog:
    with catalog.path("lt").open("rb") as stream:
        return read_po(stream, locale="lt")


def forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [] if text is None else [text] if isinstance(text, str) else list(text)


def test_no_string_of_a_page_a_service_or_a_connector_is_left_untranslated() -> None:
    assert len(extracted()) > 2000
    missing = []
    for (context, message), where in extracted().items():
        found = lithuanian().get(message if isinstance(message, str) else message[0], context)
        if found is None or not all(forms(found.string)):
            missing.append(f"{where}: {message}")
    assert not missing, f"{HOW_TO_ADD}:\n" + "\n".join(missing)


def test_every_translation_is_sure_and_has_the_three_forms_of_a_number() -> None:
    for message in lithuanian():
        if message.id:
            assert not message.fuzzy, message.id
            assert len(forms(message.string)) == (1 if isinstance(message.id, str) else 3), message.id
    assert [lithuanian_form(count) for count in (1, 2, 10, 11, 21, 100, 112)] == [0, 1, 2, 2, 0, 2, 2]


def lithuanian_form(count: int) -> int:
    plural: Any = vars(catalog.words("lt"))["plural"]
    return int(plural(count))


def test_no_translation_loses_a_value_or_names_one_that_is_not_there() -> None:
    for message in lithuanian():
        if not message.id:
            continue
        if message.context == catalog.SAID:
            wanted = set(re.findall(r"\{(\w+)\}", str(message.id)))
            assert set(re.findall(r"\{(\w+)(?::[^{}]*)?\}", str(message.string))) == wanted, message.id
            continue
        wanted = {name for form in forms(message.id) for name in re.findall(r"%\((\w+)\)s", form)}
        for place, form in enumerate(forms(message.string)):
            # The number may be left out of the form of one alone, as in `Delete it`.
            left_out = wanted - set(re.findall(r"%\((\w+)\)s", form))
            assert left_out <= ({"num"} if place == 0 and not isinstance(message.id, str) else set()), (
                message.id,
                form,
            )
            assert set(re.findall(r"%\((\w+)\)s", form)) <= wanted, (message.id, form)
            assert len(re.findall(r"(?<!%)%(?![%(])", form.replace("%%", ""))) == 0 or "%(" not in form, message.id


def test_what_is_also_asked_for_without_a_number_names_none() -> None:
    alone = {message for (context, message) in extracted() if context is None and isinstance(message, str)}
    for _context, message in extracted():
        if isinstance(message, tuple) and message[0] in alone and "%(num)s" not in message[0]:
            found = lithuanian().get(message[0])
            assert found is not None
            assert "%(num)s" not in forms(found.string)[0], message


def test_what_a_service_says_is_found_in_its_source() -> None:
    source = '''
def f(code, log):
    """A docstring is told to nobody."""
    log.info("nor is a line of the log")
    if not code:
        raise ValueError("a fault of the programmer")
    raise BrokenRule(f"There is no warehouse {shop.code}.", fix="Choose one of the list.")
'''
    assert [text for _line, text in extraction.templates(ast.parse(source))] == [
        "There is no warehouse {shop}.", "Choose one of the list.",
    ]  # fmt: skip


# --- what was said in English ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "lithuanian"),
    [
        ("There is no warehouse KAUNAS.", "Sandėlio KAUNAS nėra."),
        ("There is no warehouse KAUNAS. Choose one of the list.", "Sandėlio KAUNAS nėra. Pasirinkite iš sąrašo."),
        ("All 21 orders of yesterday are invoiced.", "Visi 21 vakarykštis užsakymas – sąskaitose."),
        ("All 43 orders of yesterday are invoiced.", "Visi 43 vakarykščiai užsakymai – sąskaitose."),
        ("All 110 orders of yesterday are invoiced.", "Visi 110 vakarykščių užsakymų – sąskaitose."),
        ("total 12.10 → 1234.52", "suma 12,10 → 1\u00a0234,52"),
        ("The store's own words", "The store's own words"),
        ("Order of nobody", "Order of nobody"),
        ("", ""),
        ("The program of the shop says: No. There is no warehouse A.",
         "The program of the shop says: No. Sandėlio A nėra."),
    ],
)  # fmt: skip
def test_a_sentence_is_told_in_lithuanian_and_what_nobody_knows_stays(english: str, lithuanian: str) -> None:
    assert said(english, "lt") == lithuanian
    assert said(english, "en") == english.replace("1234.52", "1,234.52")


def test_days_and_amounts_are_written_as_each_language_writes_them() -> None:
    assert said("Periods until 2026-10-31 are closed, today among them.", "en") == (
        "Periods until 31 Oct 2026 are closed, today among them."
    )
    both = "The period ends on 2026-11-02 before it starts on 2026-11-05. Swap the two dates."
    assert said(both, "en") == "The period ends on 2 Nov 2026 before it starts on 5 Nov 2026. Swap the two dates."
    typed = "Type a date as 2026-11-01, or leave it empty."
    assert said(typed, "en") == typed
    assert "iki 2026-10-31 uždaryti" in said("Periods until 2026-10-31 are closed, today among them.", "lt")
    assert (shown("1204.50", "en"), shown("1204.50", "lt")) == ("1,204.50", "1\u00a0204,50")
    assert (shown("-0.03 EUR", "en"), shown("-0.03 EUR", "lt")) == ("−0.03\u00a0EUR", "−0,03\u00a0EUR")
    assert shown("2026-13-45, K-2026-11-21-A and v1.2.3", "en") == "2026-13-45, K-2026-11-21-A and v1.2.3"


# --- pages -------------------------------------------------------------------------------------------------------

# Words without which hardly any English sentence does, and that are no Lithuanian ones.
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|not|this|that|these|with|from|for|by|its|in|on|has|have|will|what|which|when|"
    r"waits?|invoices?|orders?|days?|imports?|settings|choose|type|save|add|new|all)\b",
    re.IGNORECASE,
)
# What a program's own words are: names of columns, commands, buttons of shops, keys.
QUOTED = re.compile(
    r"addresses, carriers.*translated_configurations|vardas monet.*|„[^“]*“|monet [a-z]+"
    r"|[A-Z]\w+(?: [A-Z]\w+)* → [\w ()+→.]+|\b\w+_\w+\b"
    r"|\S+\.\w{2,4}\b"
)
# What was sold, and where a law is cited: the sources of the codes of VAT are kept as they were found.
STORE = re.compile(
    r"scripted( shop)?|coffee mug|mug|kava|ona|english|.*microsoft learn.*|.*supplied outside.*", re.IGNORECASE
)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


def in_lithuanian(app: Flask, session: Session) -> FlaskClient:
    client = browser(app, session, Role.ADMINISTRATOR)
    with writing(session):
        session.execute(update(User).values(language="lt"))
    return client


def addresses(app: Flask, session: Session) -> Iterator[str]:
    """Every page without values in its address, and one of each kind of thing that has a page of its own."""
    for rule in app.url_map.iter_rules():
        is_page = rule.methods is not None and "GET" in rule.methods and not rule.arguments
        if is_page and not rule.rule.startswith(("/health", "/static", "/metrics", "/sign-in")):
            yield rule.rule
    with reading(session):
        integration, run = session.scalars(select(Integration.id)).first(), session.scalars(select(Run.id)).first()
        journal, item = session.scalars(select(Journal.id)).first(), session.scalars(select(Item.code)).first()
        kept = dict(session.execute(select(Invoice.state, Invoice.id)).all())
    yield from (f"/integrations/{integration}", f"/runs/{run}", f"/runs/{run}/undo", f"/items/{item}")
    yield from (f"/journals/{journal}", f"/journals/invoices/{kept[InvoiceState.IN_JOURNAL]}")
    yield f"/invoices/{kept[InvoiceState.REGISTERED]}"
    yield from (f"/integrations/connect/{kind}" for kind in ("woocommerce", "prestashop", "opencart", "shopify"))


def english_of(page: str) -> list[str]:
    """The pieces of text of a page, attributes that are read aloud included, that look English."""
    body = re.sub(r"<(script|style|svg|option|code|pre)\b.*?</\1>", " ", page, flags=re.DOTALL)
    spoken = re.findall(r'\b(?:aria-label|placeholder|title|alt|data-label)="([^"]*)"', body)
    pieces = [entities.unescape(piece) for piece in (*re.split(r"<[^>]+>", body), *spoken)]
    return [piece.strip() for piece in pieces if ENGLISH.search(STORE.sub(" ", QUOTED.sub(" ", piece)))]


def test_no_page_shows_english_to_a_person_who_reads_lithuanian(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    waiting_month(session, session_factory, each=2)
    client = in_lithuanian(app, session)
    press(client, "/journals/mend/item", {"code": "MUG-1"})
    seen, english = 0, {}
    for address in addresses(app, session):
        answer = client.get(address)
        assert answer.status_code < 500 or answer.mimetype != "text/html", address
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        seen += 1
        assert answer.text.count("<html") == answer.text.count('<html lang="lt"')
        if found := english_of(answer.text):
            english[address] = found
    assert seen > 25
    assert not english, "\n".join(f"{address}: {found}" for address, found in english.items())


def test_a_count_is_written_as_the_language_writes_it(app: Flask) -> None:
    for language, written in (("en", "1,204 invoices"), ("lt", "1\u00a0204 sąskaitos")):
        with app.test_request_context(headers={"Accept-Language": language}):
            assert sentences.invoices(1204) == written
            page = render_template_string("{{ ngettext('%(num)s invoice', '%(num)s invoices', 1204) }}")
            assert entities.unescape(page) == written


def test_no_page_shows_an_error_before_it_is_told() -> None:
    rooms = CHECKOUT / "monet_web" / "blueprints"
    texts = {path: path.read_text(encoding="utf-8") for path in rooms.rglob("*.py") if path != rooms / "said.py"}
    assert [path.name for path, text in texts.items() if ".sentence()" in text] == []


def test_who_is_not_signed_in_reads_what_the_browser_asks_for(app: Flask) -> None:
    pages = {
        asked: words(app.test_client().get("/sign-in", headers={"Accept-Language": asked}).text)
        for asked in ("lt", "lt-LT,lt;q=0.9,en;q=0.8", "de,en;q=0.5", "fr", "")
    }
    assert ["Slaptažodis" in page for page in pages.values()] == [True, True, False, False, False]
    assert ["Password" in page for page in pages.values()] == [False, False, True, True, True]


def test_a_person_s_own_choice_comes_before_the_browser_s_and_is_answered_in_it(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.VIEWER)
    asks_english = {"Accept-Language": "en"}
    said = client.post("/settings/own", data={"language": "lt", "theme": ""}, headers=asks_english)
    assert said.status_code == 303
    page = words(client.get("/settings", headers=asks_english).text)
    assert "Įrašyta. Nuo šiol puslapiai tokie, kokius pasirinkote." in page
    client.post("/settings/own", data={"language": "", "theme": ""}, headers=asks_english)
    assert "Saved. From now on pages look as you chose." in words(client.get("/settings", headers=asks_english).text)


def test_a_refusal_of_a_service_is_read_in_lithuanian(app: Flask, session: Session) -> None:
    client = in_lithuanian(app, session)
    page = words(client.post("/settings/company", data={"country": "Lietuva"}).text)
    assert "Įrašykite dvi šalies raides, pavyzdžiui, LT." in page
