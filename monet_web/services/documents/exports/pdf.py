"""Documents as PDF, drawn by WeasyPrint from our own pages: nothing is fetched, no script runs, text stays text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monet_web.domain.errors import BrokenRule
from monet_web.services.books import company_details
from monet_web.services.documents.exports.paper import Logo, Paper
from monet_web.services.documents.exports.paper_words import LANGUAGES, WORDS, day, figure, plain_figure

LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
_PAGES = Path(__file__).parents[3] / "templates" / "pdf"
_LOGO = "monet:logo"
# What no font draws and what would end a PDF's text early; a store may send anything.
_NOT_PRINTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def must_be_possible() -> None:
    """Raises BrokenRule with what to install where documents can't be drawn."""
    _weasyprint()


def draw(papers: Sequence[Paper], logo: Logo | None, language: str) -> bytes:
    """The documents one after another as one PDF, in one of LANGUAGES. Raises BrokenRule.

    Each takes some tenths of a second, so many belong to a worker.
    """
    book = Book(logo, language)
    for paper in papers:
        book.add(paper)
    return book.finish()


class Book:
    """Documents one after another, each with page numbers of its own. Raises BrokenRule where none can be drawn."""

    def __init__(self, logo: Logo | None, language: str) -> None:
        if language not in LANGUAGES:
            raise BrokenRule(f"“{language}” is no language of documents.", fix=f"Type one of: {', '.join(LANGUAGES)}.")
        self._weasyprint = _weasyprint()
        self._fonts = self._weasyprint.text.fonts.FontConfiguration()
        self._logo, self._language = logo, language
        self._drawn: list[Any] = []

    def add(self, paper: Paper) -> None:
        """One more document. Raises BrokenRule where it would not show what the law asks of the seller."""
        company_details.must_be_complete(paper.missing, has_vat=paper.has_vat)
        page = page_of(paper, self._logo, self._language)
        html = self._weasyprint.HTML(string=page, url_fetcher=_only(self._logo), base_url="monet:")
        self._drawn.append(html.render(font_config=self._fonts))

    def finish(self) -> bytes:
        """The PDF."""
        if not self._drawn:
            raise BrokenRule("There is no document to draw.", fix="Choose at least one.")
        pages = [page for one in self._drawn for page in one.pages]
        body: bytes = self._drawn[0].copy(pages).write_pdf()
        return body


def page_of(paper: Paper, logo: Logo | None, language: str) -> str:
    """The page that is drawn, as HTML; everything that a store or a person typed is escaped."""
    return _templates().get_template("document.html").render(
        paper=paper,
        logo=_LOGO if logo is not None else "",
        language=language,
        lang="en" if language == "en" else "lt",
        w={key: pair.of(language) for key, pair in WORDS.items()},
        money=lambda value: figure(value, language),
        plain=lambda value: plain_figure(value, language),
        text=_printed,
        day=day,
    )  # fmt: skip


def file_name(paper: Paper) -> str:
    """`KL-1001.pdf`: the number with nothing in it that a file system means something by."""
    number = re.sub(r"[^\w.\-]+", "-", paper.number or f"pro-forma-{paper.order_number}", flags=re.UNICODE)
    return f"{number.strip('.-')[:80] or 'invoice'}.pdf"


def _printed(text: str) -> str:
    return _NOT_PRINTED.sub("\u00b7", text)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)


def _weasyprint() -> Any:
    """Loaded when the first document is drawn: it takes a second, and needs the system's Pango."""
    try:
        import weasyprint
    except OSError:
        raise BrokenRule(
            "Documents can't be drawn: this machine lacks the library Pango or its fonts.",
            fix=f"Type as root: apt-get install {LIBRARIES}; then start Monet again.",
        ) from None
    return weasyprint


def _only(logo: Logo | None) -> Any:
    """A fetcher that gives the logo and refuses everything else: no file, no network."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OnlyLogo(URLFetcher):  # type: ignore[misc]
        """It never calls the parent's `fetch`, so none of its handlers is ever asked."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - WeasyPrint's signature
            if url == _LOGO and logo is not None:
                return URLFetcherResponse(url, logo.body, {"Content-Type": logo.media_type})
            raise FatalURLFetchingError(f"A document asked for {url[:80]}.")

    return OnlyLogo()
