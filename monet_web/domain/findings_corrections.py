"""Findings of what people did: a correction that differs from the store's order, a decision that holds no more."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.domain.sentences import General, Sentences

# What the kinds of lines are called in a sentence.
LINE_KINDS: Mapping[str, tuple[str, str]] = {
    "goods": ("goods", "prekės"),
    "service": ("a service", "paslauga"),
    "shipping": ("shipping", "siuntimas"),
    "fee": ("a fee", "mokestis"),
    "wrapping": ("wrapping", "pakavimas"),
    "tip": ("a tip", "arbatpinigiai"),
    "discount": ("a discount", "nuolaida"),
    "voucher": ("a voucher", "dovanų kuponas"),
    "deposit": ("a deposit", "užstatas"),
}

CORRECTION_CODES: Mapping[str, tuple[Sentences, Sentences]] = {
    "base_differs": (
        Sentences(
            "The store's base ({rate}) is {store} {currency}, the invoice's {lines} {currency}.",
            "The amount of each VAT rate must be what the buyer paid at it.",
            "Correct the lines, or an accountant accepts the figures as they stand.",
            "The base ({rate}) is not the store's",
        ),
        Sentences(
            "Parduotuvės apmokestinama vertė ({rate}) yra {store} {currency}, o sąskaitos – {lines} {currency}.",
            "Kiekvieno PVM tarifo suma turi būti tokia, kokią sumokėjo pirkėjas.",
            "Pataisykite eilutes arba buhalteris priima tokius skaičius, kokie yra.",
            "Apmokestinama vertė ({rate}) nelygi parduotuvės",
        ),
    ),
    "quantity_differs": (
        Sentences(
            "The store sold {store} of {what}, the invoice has {lines}.",
            "What leaves the stock must be what was sold.",
            "Type the store's quantity, or an accountant accepts the figures as they stand.",
            "A quantity is not the store's",
        ),
        Sentences(
            "Parduotuvė {what} pardavė {store}, o sąskaitoje yra {lines}.",
            "Iš sandėlio turi būti nurašyta tiek, kiek parduota.",
            "Įrašykite parduotuvės kiekį arba buhalteris priima tokius skaičius, kokie yra.",
            "Kiekis nelygus parduotuvės",
        ),
    ),
    "kind_changed": (
        Sentences(
            "Line {line} ({what}) came from the store as {was_kind} and is {is_kind} now.",
            "Whether a line takes goods out of a warehouse depends on it; an accountant changed it.",
            "Nothing need be done.",
            "The kind of a line is not the store's",
        ),
        Sentences(
            "{line} eilutė ({what}) parduotuvėje buvo {was_kind}, o dabar yra {is_kind}.",
            "Nuo to priklauso, ar eilutė nurašo prekes iš sandėlio; pakeitė buhalteris.",
            "Nieko daryti nereikia.",
            "Eilutės rūšis ne tokia kaip parduotuvėje",
        ),
    ),
    "rate_decision_ended": (
        Sentences(
            "{who} chose VAT of {to} % for {before} {currency}; the lines at that rate come to {now} {currency} now.",
            "The order changed since, so what was chosen for other lines is not used.",
            "Look at the lines, and choose the rate anew where it is still wrong.",
            "A VAT rate was chosen before, for other lines",
        ),
        Sentences(
            "{who} parinko {to} % tarifą {before} {currency} sumai; tokio tarifo eilučių dabar yra {now} {currency}.",
            "Užsakymas pasikeitė, todėl kitoms eilutėms parinktas tarifas netaikomas.",
            "Peržiūrėkite eilutes ir, jei tarifas vis dar netinka, parinkite jį iš naujo.",
            "PVM tarifas buvo parinktas kitoms eilutėms",
        ),
    ),
    "buyer_decision_ended": (
        Sentences(
            "{who} corrected the codes of the buyer {before}; the buyer is {now} now.",
            "The codes of one buyer are not given to another, so what was corrected is not used.",
            "Look at the buyer, and correct the codes anew where they are still wrong.",
            "A buyer's codes were corrected before, for another buyer",
        ),
        Sentences(
            "{who} pataisė pirkėjo {before} kodus; dabar pirkėjas yra {now}.",
            "Vieno pirkėjo kodai kitam nepriskiriami, todėl pataisymas netaikomas.",
            "Peržiūrėkite pirkėją ir, jei kodai vis dar netinka, pataisykite juos iš naujo.",
            "Kodai buvo pataisyti kitam pirkėjui",
        ),
    ),
}

CORRECTION_GENERAL: Mapping[str, tuple[General, General]] = {
    "base_differs": (
        General(
            "the base of a VAT rate is not the store's",
            "Compare with the orders in the store; correct the lines, or an accountant accepts the figures.",
        ),
        General(
            "PVM tarifo apmokestinama vertė nelygi parduotuvės",
            "Palyginkite su užsakymais parduotuvėje; pataisykite eilutes arba buhalteris priima skaičius.",
        ),
    ),
    "quantity_differs": (
        General(
            "a quantity is not the store's",
            "Compare with the orders in the store; correct the quantities, or an accountant accepts the figures.",
        ),
        General(
            "kiekis nelygus parduotuvės",
            "Palyginkite su užsakymais parduotuvėje; pataisykite kiekius arba buhalteris priima skaičius.",
        ),
    ),
    "kind_changed": (
        General("an accountant changed the kind of a line", "Nothing need be done."),
        General("buhalteris pakeitė eilutės rūšį", "Nieko daryti nereikia."),
    ),
    "rate_decision_ended": (
        General(
            "a VAT rate was chosen before, for other lines",
            "Look at the lines; where the rate is still wrong, choose it anew.",
        ),
        General(
            "PVM tarifas buvo parinktas kitoms eilutėms",
            "Peržiūrėkite eilutes; jei tarifas vis dar netinka, parinkite jį iš naujo.",
        ),
    ),
    "buyer_decision_ended": (
        General(
            "a buyer's codes were corrected before, for another buyer",
            "Look at the buyer; where the codes are still wrong, correct them anew.",
        ),
        General(
            "kodai buvo pataisyti kitam pirkėjui",
            "Peržiūrėkite pirkėją; jei kodai vis dar netinka, pataisykite juos iš naujo.",
        ),
    ),
}
