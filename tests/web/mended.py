"""Helps for tests of controls: forms of a page filled in as a browser would, and what the next page says."""

from __future__ import annotations

import html as entities
import re
from collections import Counter
from collections.abc import Mapping

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from monet_web.models import Invoice
from monet_web.models.base import reading
from tests.web.integrating import words


def forms_of(page: str, action: str) -> list[dict[str, str]]:
    """The fields of the forms of a page that are sent to `action`, as the browser would send them untouched."""
    found = []
    for form in re.findall(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL):
        fields = {}
        for tag in re.findall(r"<input[^>]*>", form):
            name = re.search(r'\bname="([^"]*)"', tag)
            value = re.search(r'\bvalue="([^"]*)"', tag)
            if name is not None and 'type="checkbox"' not in tag:
                fields[entities.unescape(name[1])] = entities.unescape(value[1]) if value else ""
        found.append(fields)
    return found


def press(
    client: FlaskClient, action: str, typed: Mapping[str, str] | None = None, *, at: str = "/journals", nth: int = 0
) -> str:
    """Fill in the form of the page `at` that is sent to `action` and send it; what the next page says of it."""
    found = forms_of(client.get(at).text, action)
    assert len(found) > nth, f"{at} has no form that is sent to {action}"
    return told(client, client.post(action, data={**found[nth], **(typed or {})}))


def told(client: FlaskClient, answer: TestResponse) -> str:
    """What the page says after an answer that leads on to it."""
    assert answer.status_code == 303, answer.status_code
    page = client.get(answer.location)
    assert page.status_code == 200
    slips = re.findall(r'<div class="slip is-(\w+)">(.*?)</button></div>', page.text, re.DOTALL)
    said = " | ".join(f"{kind}: {words(slip).removesuffix(' Close').strip()}" for kind, slip in slips)
    return said or words(page.text)


def states(session: Session) -> Counter[str]:
    """State → how many invoices."""
    with reading(session):
        rows = session.execute(select(Invoice.state, func.count().label("n")).group_by(Invoice.state))
        return Counter({row.state.value: row.n for row in rows})
