"""The form of an integration, drawn from what connector and settings declare; every wrong value says so beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from monet_web.blueprints.integrations import wording
from monet_web.blueprints.integrations.translating import _, _l
from monet_web.blueprints.said import told
from monet_web.connectors.base import Connector, Parameter
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.domain.settings import BY_KEY, PAYMENT_TREATMENTS, SETTINGS
from monet_web.services.integrations import asking

FIRST_QUESTIONS = ("not_before", "issued_by", "accounting_type", "register_automatically")
ORDERS = ("statuses", "select_by", *FIRST_QUESTIONS)
WHEN = ("frequency", "daily_days")
MORE: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        _l("Numbers and dates"),
        ("number_from", "number_prefix", "credit_number_from", "credit_number_prefix", "invoice_date"),
    ),
    (_l("Items, stock, accounts"), ("unknown_items", "common_item", "warehouse", "revenue_account", "charges_account")),
    (_l("Buyers"), ("private_buyers", "company_code_from", "vat_code_from")),
    (_l("Payments, discounts, refunds"), ("payment_methods", "discounts", "refunds")),
    (_l("Checks"), ("rounding_limit", "vat_rate_check")),
)
FROM_TEST = ("statuses", "payment_methods", "company_code_from", "vat_code_from")  # they choose among what a test found
_METHOD = "payment_method:"
_SHOWN_ARE_CODES = ("revenue_account", "charges_account", "common_item", "company_code_from", "vat_code_from")


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a field; `sub` explains it."""

    value: str
    label: str
    sub: str = ""


@dataclass(slots=True)
class Field:
    """One field as the template draws it: text, password, date, select, checks or methods."""

    name: str
    label: str
    help: str = ""
    kind: str = "text"
    value: str = ""
    choices: tuple[Choice, ...] = ()
    chosen: tuple[str, ...] = ()  # of `checks`
    rows: tuple[tuple[str, str, str], ...] = ()  # of `methods`: field's name, what the store calls it, treatment
    offered: tuple[str, ...] = ()  # what a text field proposes
    placeholder: str = ""
    is_code: bool = False
    required: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        """The field's id on the page."""
        return f"f-{self.name}"

    @property
    def shown(self) -> str:
        """The value in words, for the summary of a closed group."""
        if self.kind == "select":
            return next((one.label for one in self.choices if one.value == self.value), "")
        return ""


@dataclass(slots=True)
class IntegrationForm:
    """What is typed (or saved) as texts by key, the fields to draw, and the errors by key."""

    connector: type[Connector]
    texts: dict[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    saved_secrets: Mapping[str, bool] = field(default_factory=dict)  # of an installed integration
    held_secrets: frozenset[str] = frozenset()  # typed a moment ago and kept sealed
    saved_parameters: Mapping[str, str] | None = None  # None: not installed yet
    warehouses: Sequence[tuple[str, str]] = ()
    errors: dict[str, str] = field(default_factory=dict)
    asks_same_store: bool = False

    def connection(self) -> dict[str, str]:
        """Parameters and secrets as typed."""
        return {one.key: self.texts.get(one.key, "") for one in self.connector.parameters}

    def values(self) -> dict[str, str]:
        """Parameters, secrets and the settings that the form has, as services take them."""
        return {key: text for key, text in self.texts.items() if key != "name"}

    def check(self) -> bool:
        """Look at every value; True when none is wrong. What only the database knows is said by the service."""
        if not self.texts.get("name", "").strip():
            self.errors["name"] = _("Type what you call the shop, for example Kava Ltd.")
        self.check_connection()
        for key, text in self.texts.items():
            setting = BY_KEY.get(key)
            if setting is None:
                continue
            try:
                setting.parse(text)
            except ValueError as error:
                self.errors[key] = told(str(error))
        if self.texts.get("unknown_items") == "common" and not self.texts.get("common_item", "").strip():
            self.errors.setdefault("common_item", _("Type the code of the item to use for unknown products."))
        return not self.errors

    def check_connection(self) -> None:
        """Look at the parameters alone: all are there, the address can be one, no key goes to another place (A3)."""
        typed = self.connection()
        moved = self.saved_parameters is not None and not asking.same_place(
            self.connector.kind, self.saved_parameters, typed
        )
        for one in self.connector.parameters:
            has_it = typed[one.key].strip() or one.key in self.held_secrets
            if one.secret and not has_it and moved and self.saved_secrets.get(one.key):
                self.errors[one.key] = _(
                    "Type it again: the address leads to another place now, and a key is only sent to the address it "
                    "was typed for."
                )
            elif one.required and not has_it and not (one.secret and self.saved_secrets.get(one.key)):
                self.errors[one.key] = _("Type the %(label)s.", label=_within(told(one.label)))
        if self._address.key in self.errors:
            return
        try:
            self.connector.store_key({**typed, **{one.key: "x" for one in self.connector.parameters if one.secret}})
        except MonetError as error:
            self.errors[self._address.key] = told(error)

    def refuse(self, error: BrokenRule) -> None:
        """Put what a service refused beside its field; "" stands for the whole form."""
        if error.field == "same_store":
            self.asks_same_store = True
            self.errors[self._address.key] = told(error.message)
        else:
            self.errors[error.field if error.field in self.texts or error.field == "name" else ""] = told(error)

    def to_mend(self) -> list[Field]:
        """The fields with an error, in the order of the page."""
        keys = ["name", *(one.key for one in self.connector.parameters), *BY_KEY]
        return [self.field(key) for key in keys if key in self.errors]

    def field(self, key: str) -> Field:
        """One field, ready to draw."""
        if key == "name":
            made = Field("name", _("Name"), _("What you call it here, and what the launch mask is matched against."))
            made.required = True
        elif key in BY_KEY:
            made = self._setting(key)
        else:
            made = self._parameter(next(one for one in self.connector.parameters if one.key == key))
        if made.kind != "password":
            made.value = self.texts.get(key, "")
        made.error = self.errors.get(key, "")
        return made

    def label(self, key: str) -> str:
        """What the form calls a key of the audit trail."""
        known = {one.key: one.label for one in self.connector.parameters} | {
            key: one.label for key, one in BY_KEY.items()
        }
        own = {
            "name": _("Name"),
            "state": _("Switched on"),
            "store": _("Store"),
            "secrets_changed": _("Keys typed anew"),
        }
        return own.get(key) or _(known.get(key, key))

    def fields(self, keys: Sequence[str]) -> list[Field]:
        """Several of them."""
        return [self.field(key) for key in keys]

    def parameters(self) -> list[Field]:
        """The connection's fields, as the connector declares them."""
        return self.fields([one.key for one in self.connector.parameters])

    @property
    def setup_steps(self) -> list[str]:
        """Where in the shop's admin the key is made, step by step."""
        return [told(step) for step in self.connector.setup_steps]

    def more(self) -> list[tuple[str, list[Field], str, bool]]:
        """Groups under *More*: heading, fields, summary, whether it is to be open."""
        groups = []
        for heading, keys in MORE:
            fields = self.fields(keys)
            summary = " · ".join(one.shown for one in fields if one.shown)
            groups.append((str(heading), fields, summary, any(one.error for one in fields)))
        return groups

    # --- one kind of field each ---------------------------------------------------------------------------------

    @property
    def _address(self) -> Parameter:
        return next((one for one in self.connector.parameters if one.is_address), self.connector.parameters[0])

    def _parameter(self, parameter: Parameter) -> Field:
        made = Field(parameter.key, told(parameter.label), told(parameter.help), required=parameter.required)
        if not parameter.secret:
            made.kind = "url" if parameter.is_address else "text"
            return made
        made.kind, made.is_code = "password", True
        if parameter.key in self.held_secrets:
            made.placeholder = _("typed, not shown again")
            made.required = False
        elif self.saved_secrets.get(parameter.key) and parameter.key not in self.errors:
            made.placeholder = _("saved, never shown again")
            made.help = _("%(help)s Empty keeps the saved one.", help=made.help)
            made.required = False
        return made

    def _setting(self, key: str) -> Field:
        setting = BY_KEY[key]
        made = Field(key, told(setting.label), str(wording.HELP.get(key, "")) or told(setting.help))
        made.is_code = key in _SHOWN_ARE_CODES
        if key == "frequency":
            made.kind = "choices"
            made.choices = tuple(
                Choice(value, str(word), str(sub)) for value, (word, sub) in wording.FREQUENCIES.items()
            )
        elif setting.choices:
            made.kind = "select"
            values = [one for one in setting.choices if key != "number_from" or self._gives(one)]
            made.choices = tuple(Choice(value, wording.setting_value(key, value)) for value in values)
        elif key == "not_before":
            made.kind = "date"
        elif key == "daily_days":
            made.kind = "number"
        elif key == "statuses" and self._known("statuses"):
            self._as_checks(made)
        elif key == "payment_methods" and self._known("payment_methods"):
            self._as_methods(made)
        elif key == "warehouse" and self.warehouses:
            made.kind = "select"
            first = self.warehouses[0][1]
            made.choices = (
                Choice("", _("the first: %(name)s", name=first)),
                *(Choice(code, name) for code, name in self.warehouses),
            )
        elif key in ("company_code_from", "vat_code_from"):
            made.offered = tuple(one["value"] for one in self.facts.get("fields", ()))
        return made

    def _as_checks(self, made: Field) -> None:
        known = self._known("statuses")
        chosen = _parts(self.texts.get("statuses", ""))
        made.kind, made.chosen = "checks", tuple(chosen)
        gone = [Choice(value, value) for value in chosen if value not in {one["value"] for one in known}]
        made.choices = (*(Choice(one["value"], one["label"]) for one in known), *gone)
        defaults = ", ".join(one["label"] for one in known if one["is_default"])
        made.help = _("None ticked: what the store counts as a sale, %(statuses)s.", statuses=defaults or "–")

    def _as_methods(self, made: Field) -> None:
        chosen = _pairs(self.texts.get("payment_methods", ""))
        labels = {one["value"]: one["label"] for one in self._known("payment_methods")}
        made.kind = "methods"
        made.choices = tuple(Choice(value, str(wording.TREATMENTS[value])) for value in PAYMENT_TREATMENTS)
        made.rows = tuple(
            (f"{_METHOD}{method}", labels.get(method) or method, chosen.get(method, "prepaid"))
            for method in dict.fromkeys([*labels, *chosen])
        )

    def _known(self, what: str) -> list[dict[str, Any]]:
        # A code with a comma or colon in it could not be told from two.
        return [one for one in self.facts.get(what, ()) if not set(",:") & set(one["value"])]

    def _gives(self, source: str) -> bool:
        return source == "series" or source in self.connector.number_sources


def read(form: MultiDict[str, str], connector: type[Connector]) -> dict[str, str]:
    """The texts of a posted form by key; settings that the form does not have are left out."""
    texts = {"name": form.get("name", "").strip()}
    for one in connector.parameters:
        texts[one.key] = form.get(one.key, "").strip()
    for setting in SETTINGS:
        if setting.key in ("statuses", "payment_methods"):
            continue
        if setting.key in form:
            texts[setting.key] = form[setting.key].strip()
    if "has_statuses" in form or "statuses" in form:
        texts["statuses"] = ",".join(form.getlist("statuses"))
    methods = {key.removeprefix(_METHOD): value for key, value in form.items() if key.startswith(_METHOD)}
    if methods:
        texts["payment_methods"] = ",".join(f"{one}:{how}" for one, how in methods.items() if how != "prepaid")
    elif "payment_methods" in form:
        texts["payment_methods"] = form["payment_methods"].strip()
    return texts


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for part in _parts(text):
        method, _colon, treatment = part.partition(":")
        pairs[method.strip()] = treatment.strip().casefold().replace("_", " ") or "prepaid"
    return pairs


def _within(label: str) -> str:
    """A label within a sentence: `key`, but `API key`."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
