"""Findings of VAT: their sentences in both languages, and the words that some of their values stand for."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.domain.sentences import General, Sentences

# Why a sale is booked by hand, as the end of a sentence that begins "because".
BECAUSE: Mapping[str, tuple[str, str]] = {
    "northern_ireland": (
        "Northern Ireland is inside the EU for goods but has British rates",
        "Šiaurės Airija prekėms yra ES dalis, bet jos tarifai britiški",
    ),
    "foreign_vat": (
        "VAT of a country outside the EU is declared there",
        "ne ES šalies PVM deklaruojamas toje šalyje",
    ),
    "warehouse_abroad": (
        "the goods start from a warehouse abroad, where their VAT belongs",
        "prekės išsiunčiamos iš sandėlio užsienyje, kur ir priklauso jų PVM",
    ),
    "margin": (
        "VAT under the margin scheme is reckoned from the cost, which this program does not know",
        "pagal maržos schemą PVM skaičiuojamas nuo savikainos, kurios ši programa nežino",
    ),
    "excise": (
        "excise goods need documents that this program does not write",
        "akcizinėms prekėms reikia dokumentų, kurių ši programa nerašo",
    ),
    "reverse_charge": (
        "with domestic reverse charge (Art. 96) the buyer pays the VAT, which this program does not do",
        "taikant atvirkštinį apmokestinimą (96 str.) PVM moka pirkėjas, o ši programa to nedaro",
    ),
    "ioss": (
        "sales under IOSS are declared apart, which this program does not do",
        "IOSS pardavimai deklaruojami atskirai, o ši programa to nedaro",
    ),
}

TREATMENTS: Mapping[str, tuple[str, str]] = {
    "domestic": ("a sale at home", "pardavimas šalyje"),
    "eu_home": ("a sale to a consumer in the EU with our own VAT", "pardavimas ES vartotojui su mūsų šalies PVM"),
    "oss": ("a sale under OSS", "OSS pardavimas"),
    "eu_company": ("a sale to an EU VAT payer", "pardavimas ES PVM mokėtojui"),
    "export": ("an export", "eksportas"),
    "not_payer": ("a sale of a company that pays no VAT", "PVM nemokančios įmonės pardavimas"),
    "outside_vat": ("a deposit or a voucher", "užstatas arba kuponas"),
}

KINDS: Mapping[str, tuple[str, str]] = {
    "goods": ("goods", "prekės"),
    "service": ("services", "paslaugos"),
}

RATES: Mapping[str, tuple[str, str]] = {"none": ("without VAT", "be PVM")}

VAT_CODES: Mapping[str, tuple[Sentences, Sentences]] = {
    "not_vat_payer": (
        Sentences(
            "The order carries {amount} {currency} of VAT, but the company was no VAT payer on {day}.",
            "Who is no VAT payer may not show VAT, and what is shown is owed to the state.",
            "Take the tax out of the store, or correct the days on which the company is a VAT payer.",
            "The order carries VAT, but the company was no VAT payer",
        ),
        Sentences(
            "Užsakyme yra {amount} {currency} PVM, bet {day} įmonė nebuvo PVM mokėtoja.",
            "Ne PVM mokėtojas PVM rodyti negali, o parodytą privalo sumokėti valstybei.",
            "Parduotuvėje išjunkite mokestį arba pataisykite dienas, nuo kurių įmonė yra PVM mokėtoja.",
            "Užsakyme yra PVM, bet įmonė nebuvo PVM mokėtoja",
        ),
    ),
    "issued_not_payer": (
        Sentences(
            "The invoice is dated {day}, when the company was no VAT payer, and carries {amount} {currency} of VAT.",
            "Only a VAT payer issues a VAT invoice; on {supplied}, when it was supplied, the company was one.",
            "An accountant gives it a day on which the company is a VAT payer, or corrects those days.",
            "The invoice carries VAT and is dated when the company was no VAT payer",
        ),
        Sentences(
            "Sąskaitos data {day}, kai įmonė nebuvo PVM mokėtoja, o joje yra {amount} {currency} PVM.",
            "PVM sąskaitą išrašo tik PVM mokėtojas; tiekimo dieną {supplied} įmonė juo buvo.",
            "Buhalteris suteikia dieną, kurią įmonė yra PVM mokėtoja, arba pataiso tas dienas.",
            "Sąskaitoje yra PVM, o jos dieną įmonė nebuvo PVM mokėtoja",
        ),
    ),
    "classifier_missing": (
        Sentences(
            "There is no classifier code for {treatment}, {rate}, {kind}, on {day}.",
            "Every line of the VAT register needs a code of the tax authority (PVM…), and a guess would be filed.",
            "An accountant adds the code to the VAT codes; if the rate is a mistake, correct it in the store.",
            "There is no classifier code for {treatment}, {rate}, {kind}",
        ),
        Sentences(
            "Nėra klasifikatoriaus kodo: {treatment}, {rate}, {kind}, {day}.",
            "Kiekvienai PVM registro eilutei reikia VMI kodo (PVM…), o spėjimas būtų deklaruotas.",
            "Buhalteris prideda kodą prie PVM kodų; jei tarifas klaidingas, pataisykite jį parduotuvėje.",
            "Nėra klasifikatoriaus kodo: {treatment}, {rate}, {kind}",
        ),
    ),
    "vat_by_hand": (
        Sentences(
            "{what}: register by hand, because {because}.",
            "Booked by the usual rules it would be declared wrongly.",
            "Enter this invoice in your main program and leave the order out here.",
            "Register by hand, because {because}",
        ),
        Sentences(
            "{what}: registruokite ranka, nes {because}.",
            "Užregistruotas pagal įprastas taisykles, pardavimas būtų deklaruotas neteisingai.",
            "Įveskite šią sąskaitą pagrindinėje programoje, o užsakymo čia neįtraukite.",
            "Registruokite ranka, nes {because}",
        ),
    ),
    "eu_untaxed": (
        Sentences(
            "The order to {country} carries no VAT, and the buyer gave no VAT code of another EU state.",
            "Only a VAT payer of another EU state buys at 0 %; from a private buyer the VAT is due all the same.",
            "Ask the buyer for a VAT code and correct it, or correct the tax in the store.",
            "Orders to {country} carry no VAT and have no VAT code of another EU state",
        ),
        Sentences(
            "Užsakyme į {country} nėra PVM, o pirkėjas nenurodė kitos ES šalies PVM kodo.",
            "Su 0 % perka tik kitos ES šalies PVM mokėtojas; už privatų pirkėją PVM vis tiek tenka mokėti.",
            "Paklauskite pirkėjo PVM kodo ir pataisykite arba pataisykite mokestį parduotuvėje.",
            "Užsakymuose į {country} nėra PVM ir kitos ES šalies PVM kodo",
        ),
    ),
    "vat_number_unconfirmed": (
        Sentences(
            "Nobody has confirmed the buyer's VAT code {what} yet, and the order to {country} carries no VAT.",
            "A sale at 0 % needs a buyer whom VIES knows on the day of supply; a right check digit proves nothing.",
            "Ask VIES, or an accountant enters the confirmation with its number or the reason.",
            "The VAT code {subject} is not confirmed",
        ),
        Sentences(
            "Pirkėjo PVM kodo {what} dar niekas nepatvirtino, o užsakyme į {country} nėra PVM.",
            "Taikant 0 % reikia pirkėjo, kurį tiekimo dieną pripažįsta VIES; teisingas kontrolinis skaitmuo nieko neįrodo.",
            "Paklauskite VIES arba buhalteris įrašo patvirtinimą su numeriu ar priežastimi.",
            "PVM kodas {subject} nepatvirtintas",
        ),
    ),
    "vat_number_refused": (
        Sentences(
            "VIES said on {day} that the buyer's VAT code {what} is not registered, and the order carries no VAT.",
            "Without a VAT payer of another EU state as buyer the sale is not at 0 %.",
            "Ask the buyer, then VIES again; or correct the tax in the store.",
            "VIES does not know the VAT code {subject}",
        ),
        Sentences(
            "VIES {day} atsakė, kad pirkėjo PVM kodas {what} neregistruotas, o užsakyme nėra PVM.",
            "Jei pirkėjas nėra kitos ES šalies PVM mokėtojas, 0 % netaikomas.",
            "Paklauskite pirkėjo, tada vėl VIES; arba pataisykite mokestį parduotuvėje.",
            "VIES nežino PVM kodo {subject}",
        ),
    ),
    "company_charged": (
        Sentences(
            "{what} is the VAT code of a company, and the store charged VAT of a consumer in {country}.",
            "A VAT payer of another EU state buys at 0 %, and VAT that a consumer paid goes to the state.",
            "Clear the VAT code if the buyer is treated as a consumer; else choose 0 % for the lines, what was paid stays.",
            "The VAT code {subject} is a company's, and VAT of a consumer was charged",
        ),
        Sentences(
            "{what} yra įmonės PVM kodas, o parduotuvė ėmė PVM kaip iš vartotojo šalyje {country}.",
            "Kitos ES šalies PVM mokėtojas perka su 0 %, o vartotojo sumokėtas PVM atitenka valstybei.",
            "Jei pirkėjas laikomas vartotoju, PVM kodą ištrinkite; jei ne, eilutėms parinkite 0 %, sumokėta suma lieka.",
            "PVM kodas {subject} yra įmonės, o PVM imtas kaip iš vartotojo",
        ),
    ),
    "export_unproven": (
        Sentences(
            "Order {order} went to {country} without VAT, and the number of its customs declaration (MRN) is not here.",
            "Export is at 0 % only with the customs' proof that the goods left the EU.",
            "Type the MRN of the declaration, or an accountant enters another proof and why.",
            "Orders to {country} wait for the customs declaration (MRN)",
        ),
        Sentences(
            "Užsakymas {order} išsiųstas į {country} be PVM, o muitinės deklaracijos numerio (MRN) čia nėra.",
            "Eksportui 0 % taikomas tik turint muitinės įrodymą, kad prekės išgabentos iš ES.",
            "Įrašykite deklaracijos MRN arba buhalteris įrašo kitą įrodymą ir priežastį.",
            "Užsakymai į {country} laukia muitinės deklaracijos (MRN)",
        ),
    ),
    "oss_off": (
        Sentences(
            "VAT of {rate} is that of {country}, and the company did not take part in OSS on {day}.",
            "Another EU state's VAT can only be paid through OSS or by a registration there.",
            "Enter from which day the company takes part in OSS, or charge the VAT of {home} in the store.",
            "VAT of {country} was charged, but the company is not in OSS",
        ),
        Sentences(
            "{rate} PVM yra šalies {country}, o {day} įmonė OSS nedalyvavo.",
            "Kitos ES šalies PVM galima sumokėti tik per OSS arba užsiregistravus toje šalyje.",
            "Įrašykite, nuo kurios dienos įmonė dalyvauja OSS, arba parduotuvėje taikykite {home} PVM.",
            "Taikytas {country} PVM, bet įmonė OSS nedalyvauja",
        ),
    ),
    "oss_rate": (
        Sentences(
            "VAT of {rate} is that of {home}, but under OSS the rate of {country} was due on {day}.",
            "Under OSS each state gets its own VAT, whatever was charged.",
            "Correct the tax of {country} in the store; for this invoice an accountant chooses the right rate.",
            "VAT of {home} was charged to {country}, though the company is in OSS",
        ),
        Sentences(
            "{rate} PVM yra šalies {home}, o pagal OSS {day} reikėjo {country} tarifo.",
            "Pagal OSS kiekviena šalis gauna savo PVM, kad ir koks buvo taikytas.",
            "Parduotuvėje pataisykite {country} mokestį; šios sąskaitos tarifą parenka buhalteris.",
            "Į {country} taikytas {home} PVM, nors įmonė dalyvauja OSS",
        ),
    ),
    "eu_threshold": (
        Sentences(
            "With this order, {sum} EUR were sold to consumers of other EU states in {year}; {threshold} EUR are allowed.",
            "Above the threshold the buyer's state gets its VAT, from the very sale that crosses it.",
            "Register for OSS and enter its first day; the tax of such orders is then corrected in the store.",
            "Sales to consumers of other EU states in {subject} are above the threshold",
        ),
        Sentences(
            "Su šiuo užsakymu {year} m. kitų ES šalių vartotojams parduota už {sum} EUR; leidžiama {threshold} EUR.",
            "Viršijus ribą PVM gauna pirkėjo šalis, pradedant tuo pardavimu, kuriuo riba peržengta.",
            "Užsiregistruokite OSS ir įrašykite pirmą jos dieną; tokių užsakymų mokestį pataisykite parduotuvėje.",
            "{subject} m. pardavimai kitų ES šalių vartotojams viršija ribą",
        ),
    ),
    "charge_rate_differs": (
        Sentences(
            "{what} carries VAT of {rate}, but the goods {goods}.",
            "Shipping and the like follow the goods that they belong to, rate and all.",
            "If it happens often, correct the tax of that charge in the store.",
            "A charge has a rate that none of the goods has",
        ),
        Sentences(
            "{what} apmokestinta {rate}, o prekės {goods}.",
            "Pristatymas ir panašios paslaugos apmokestinamos kaip prekės, kurioms jos priklauso.",
            "Jei taip nutinka dažnai, pataisykite to mokesčio tarifą parduotuvėje.",
            "Mokestis apmokestintas tarifu, kurio neturi jokia prekė",
        ),
    ),
}

VAT_GENERAL: Mapping[str, tuple[General, General]] = {
    "not_vat_payer": (
        General("the order carries VAT, but the company was no VAT payer", "Correct the days on which it is one, or the tax in the store."),
        General("užsakyme yra PVM, bet įmonė nebuvo PVM mokėtoja", "Pataisykite PVM mokėtojo dienas arba mokestį parduotuvėje."),
    ),
    "issued_not_payer": (
        General("dated when the company was no VAT payer, with VAT", "Give it a day on which it is one, or correct the days."),
        General("data, kai įmonė nebuvo PVM mokėtoja, o yra PVM", "Suteikite dieną, kurią ji yra PVM mokėtoja, arba pataisykite dienas."),
    ),
    "classifier_missing": (
        General("there is no classifier code (PVM…) for a line", "Add the codes, or correct the tax in the store."),
        General("eilutei nėra klasifikatoriaus kodo (PVM…)", "Pridėkite kodus arba pataisykite mokestį parduotuvėje."),
    ),
    "vat_by_hand": (
        General("it has VAT that this program does not do", "Enter these invoices in your main program and leave the orders out here."),
        General("yra PVM, kurio ši programa netvarko", "Įveskite šias sąskaitas pagrindinėje programoje, o užsakymų čia neįtraukite."),
    ),
    "eu_untaxed": (
        General("no VAT and no VAT code of another EU state", "Ask the buyers for VAT codes, or correct the tax in the store."),
        General("nėra nei PVM, nei kitos ES šalies PVM kodo", "Paklauskite pirkėjų PVM kodų arba pataisykite mokestį parduotuvėje."),
    ),
    "vat_number_unconfirmed": (
        General("a buyer's VAT code is not confirmed", "Ask VIES, or enter the confirmation by hand."),
        General("pirkėjo PVM kodas nepatvirtintas", "Paklauskite VIES arba įrašykite patvirtinimą ranka."),
    ),
    "vat_number_refused": (
        General("a buyer's VAT code is unknown to VIES", "Ask the buyer, or correct the tax in the store."),
        General("pirkėjo PVM kodo nežino VIES", "Paklauskite pirkėjo arba pataisykite mokestį parduotuvėje."),
    ),
    "company_charged": (
        General("issued to a company of another EU state, though VAT of a consumer was charged", "Clear the VAT code, or choose 0 % for the lines."),
        General("išrašyta kitos ES šalies įmonei, nors PVM imtas kaip iš vartotojo", "Ištrinkite PVM kodą arba eilutėms parinkite 0 %."),
    ),
    "export_unproven": (
        General("an export waits for its customs declaration (MRN)", "Type the MRN of each declaration."),
        General("eksportas laukia muitinės deklaracijos (MRN)", "Įrašykite kiekvienos deklaracijos MRN."),
    ),
    "oss_off": (
        General("another EU state's VAT was charged, but the company is not in OSS", "Enter from which day it is, or correct the tax in the store."),
        General("taikytas kitos ES šalies PVM, bet įmonė OSS nedalyvauja", "Įrašykite, nuo kada dalyvauja, arba pataisykite mokestį parduotuvėje."),
    ),
    "oss_rate": (
        General("our own VAT was charged, though the company is in OSS", "Correct the tax of that state in the store."),
        General("taikytas mūsų šalies PVM, nors įmonė dalyvauja OSS", "Pataisykite tos šalies mokestį parduotuvėje."),
    ),
    "eu_threshold": (
        General("sales to consumers of other EU states are above the threshold", "Register for OSS and enter its first day."),
        General("pardavimai kitų ES šalių vartotojams viršija ribą", "Užsiregistruokite OSS ir įrašykite pirmą jos dieną."),
    ),
    "charge_rate_differs": (
        General("a charge has a rate that none of the goods has", "If it happens often, correct the tax of that charge in the store."),
        General("mokesčio tarifo neturi jokia prekė", "Jei taip nutinka dažnai, pataisykite to mokesčio tarifą parduotuvėje."),
    ),
}  # fmt: skip
