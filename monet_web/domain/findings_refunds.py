"""Findings of refunds and the credit notes made of them: their sentences in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.domain.sentences import General, Sentences

REFUND_CODES: Mapping[str, tuple[Sentences, Sentences]] = {
    "refund_not_booked": (
        Sentences(
            "The store has refunded {amount} {currency} of this order ({count}).",
            "The integration is set not to read refunds, so the invoice shows more than the buyer kept.",
            "Let refunds wait in a journal in the integration's settings, or enter the credit note elsewhere.",
            "The store has refunded part of the order",
        ),
        Sentences(
            "Parduotuvė už šį užsakymą grąžino {amount} {currency} ({count}).",
            "Integracija nustatyta grąžinimų neskaityti, todėl sąskaita rodo daugiau, nei pirkėjas pasiliko.",
            "Integracijos nuostatose leiskite grąžinimams laukti žurnale arba kreditinę sąskaitą įveskite kitur.",
            "Parduotuvė grąžino dalį užsakymo sumos",
        ),
    ),
    "refund_left": (
        Sentences(
            "The store has refunded {amount} {currency} of this order ({count}), and no credit note says so.",
            "Its credit note was deleted or could not be made, so the month still counts what was given back.",
            "Run the order's period again: the run makes the credit note.",
            "The store has refunded part of the order, and no credit note says so",
        ),
        Sentences(
            "Parduotuvė už šį užsakymą grąžino {amount} {currency} ({count}), o kreditinės sąskaitos nėra.",
            "Kreditinė sąskaita ištrinta arba jos nepavyko sukurti, todėl mėnuo tebeskaičiuoja grąžintą sumą.",
            "Paleiskite užsakymo laikotarpį dar kartą: paleidimas sukurs kreditinę sąskaitą.",
            "Parduotuvė grąžino dalį užsakymo sumos, o kreditinės sąskaitos nėra",
        ),
    ),
    "refund_waits": (
        Sentences(
            "Credit notes wait for you in this integration.",
            "Its settings say that what was given back is looked over first.",
            "Look it over and register it.",
            "Credit notes wait for you in this integration",
        ),
        Sentences(
            "Šios integracijos kreditinės sąskaitos laukia jūsų.",
            "Nuostatose nurodyta grąžinimus pirmiau peržiūrėti.",
            "Peržiūrėkite ir užregistruokite.",
            "Šios integracijos kreditinės sąskaitos laukia jūsų",
        ),
    ),
    "refund_amount_only": (
        Sentences(
            "The store gave back {amount} {currency} and does not say for what: {open} of it names no line.",
            "Its VAT is proposed in proportion to what is left of each line.",
            "Look over the proposed lines, choose others if you know better, and register it.",
            "Money was given back without saying for what",
        ),
        Sentences(
            "Parduotuvė grąžino {amount} {currency} ir nenurodo už ką: {open} nepriskirta jokiai eilutei.",
            "PVM siūlomas pagal tai, kiek kiekvienos eilutės dar liko.",
            "Peržiūrėkite siūlomas eilutes, jei žinote geriau, parinkite kitas ir užregistruokite.",
            "Pinigai grąžinti nenurodant, už ką",
        ),
    ),
    "refund_exceeds": (
        Sentences(
            "The store gave back {amount} {currency}, but only {left} is left of the invoice.",
            "Never more is credited than was invoiced.",
            "Compare with the store; registering it credits the {left} that are left.",
            "More was given back than is left of the invoice",
        ),
        Sentences(
            "Parduotuvė grąžino {amount} {currency}, bet iš sąskaitos liko tik {left}.",
            "Kredituoti daugiau, nei išrašyta, negalima.",
            "Palyginkite su parduotuve; užregistravus bus kredituota likusi {left} suma.",
            "Grąžinta daugiau, nei liko iš sąskaitos",
        ),
    ),
    "refund_over": (
        Sentences(
            "The store gave back {amount} {currency}, but nothing is left of the invoice.",
            "Never more is credited than was invoiced.",
            "Compare with the store; if this was credited before, delete this one and leave it out.",
            "Money was given back, but nothing is left of the invoice",
        ),
        Sentences(
            "Parduotuvė grąžino {amount} {currency}, bet iš sąskaitos nieko nebeliko.",
            "Kredituoti daugiau, nei išrašyta, negalima.",
            "Palyginkite su parduotuve; jei jau kredituota anksčiau, šią ištrinkite ir palikite.",
            "Pinigai grąžinti, bet iš sąskaitos nieko nebeliko",
        ),
    ),
    "refund_incomplete": (
        Sentences(
            "The store has told of a refund, but not how much it is.",
            "What was given back can't be told yet.",
            "Run the integration again; if it stays so, test the connection.",
            "The store has not told how much was given back",
        ),
        Sentences(
            "Parduotuvė pranešė apie grąžinimą, bet ne jo sumą.",
            "Kol kas neaišku, kiek grąžinta.",
            "Paleiskite integraciją dar kartą; jei nepasikeis, patikrinkite ryšį.",
            "Parduotuvė nepasakė, kiek grąžinta",
        ),
    ),
    "goods_unanswered": (
        Sentences(
            "It is not said what became of the goods.",
            "What came back goes to the stock; what is damaged or was not returned does not.",
            "Say it line by line on the credit note's page.",
            "It is not said what became of the goods",
        ),
        Sentences(
            "Nenurodyta, kas nutiko su prekėmis.",
            "Grįžusios prekės pajamuojamos į sandėlį, o sugadintos ar negrąžintos ne.",
            "Nurodykite prie kiekvienos eilutės kreditinės sąskaitos puslapyje.",
            "Nenurodyta, kas nutiko su prekėmis",
        ),
    ),
    "refund_gone": (
        Sentences(
            "The refund behind {number} ({amount} {currency}) is not in the store any more.",
            "A registered credit note is final, while the store says that nothing was given back.",
            "Compare with the store; if the buyer owes it again, invoice it anew.",
            "A credited refund is not in the store any more",
        ),
        Sentences(
            "Grąžinimo, pagal kurį išrašyta {number} ({amount} {currency}), parduotuvėje nebėra.",
            "Užregistruota kreditinė sąskaita galutinė, o parduotuvė sako, kad nieko negrąžinta.",
            "Palyginkite su parduotuve; jei pirkėjas vėl skolingas, išrašykite iš naujo.",
            "Kredituoto grąžinimo parduotuvėje nebėra",
        ),
    ),
}

REFUND_GENERAL: Mapping[str, tuple[General, General]] = {
    "refund_not_booked": (
        General("the order has a refund", "Let refunds wait in a journal in the integration's settings."),
        General("už užsakymą grąžinta pinigų", "Integracijos nuostatose leiskite grąžinimams laukti žurnale."),
    ),
    "refund_left": (
        General("the order has a refund without a credit note", "Run the order's period again."),
        General("užsakymas turi grąžinimą be kreditinės sąskaitos", "Paleiskite užsakymo laikotarpį dar kartą."),
    ),
    "refund_waits": (
        General("credit notes wait for you", "Look them over and register them."),
        General("kreditinės sąskaitos laukia jūsų", "Peržiūrėkite ir užregistruokite."),
    ),
    "refund_amount_only": (
        General("money was given back without saying for what", "Look over the proposed lines and register them."),
        General("pinigai grąžinti nenurodant, už ką", "Peržiūrėkite siūlomas eilutes ir užregistruokite."),
    ),
    "refund_exceeds": (
        General("more was given back than is left of the invoice", "Compare with the store, then register the rest."),
        General("grąžinta daugiau, nei liko iš sąskaitos", "Palyginkite su parduotuve ir užregistruokite likutį."),
    ),
    "refund_over": (
        General("money was given back, but nothing is left of the invoice", "Compare with the store and leave it out."),
        General("pinigai grąžinti, bet iš sąskaitos nieko nebeliko", "Palyginkite su parduotuve ir palikite."),
    ),
    "refund_incomplete": (
        General("the store has not told how much was given back", "Run the integration again."),
        General("parduotuvė nepasakė, kiek grąžinta", "Paleiskite integraciją dar kartą."),
    ),
    "goods_unanswered": (
        General("it is not said what became of the goods", "Say it on the pages of the credit notes."),
        General("nenurodyta, kas nutiko su prekėmis", "Nurodykite kreditinių sąskaitų puslapiuose."),
    ),
    "refund_gone": (
        General("a credited refund is not in the store any more", "Compare with the store."),
        General("kredituoto grąžinimo parduotuvėje nebėra", "Palyginkite su parduotuve."),
    ),
}
