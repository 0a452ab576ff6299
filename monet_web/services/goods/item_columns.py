"""What columns of a file of items may be, and the headings that people use for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PURPOSE = "items"

# Field → headings of exports that people bring: shops, warehouse programs, tables made by hand, in both languages.
WORDS: Mapping[str, Sequence[str]] = {
    "code": (
        "item code", "item no", "item number", "product code", "article", "article no", "kodas", "prekes kodas",
        "prekes nr", "artikulas", "nr",
    ),
    "name": (
        "item name", "product name", "product", "title", "pavadinimas", "prekes pavadinimas", "preke",
    ),
    "sku": ("sku code", "seller sku", "variant sku", "model", "sku kodas"),
    "barcode": ("ean", "ean13", "ean 13", "gtin", "upc", "isbn", "bar code", "barkodas", "bruksninis kodas"),
    "kind": ("item type", "prekes tipas", "rusis"),
    "unit": ("uom", "unit of measure", "measure", "vnt", "matas", "mato vienetas", "mato vnt", "mat vnt", "vienetas"),
    "keeps_stock": ("track stock", "manage stock", "track inventory", "keep stock", "sandeliuojama"),
    "vat_class": ("tax class", "tax code", "pvm klase", "pvm grupe", "pvm kodas"),
    "product_id": ("store product id", "prekes id"),
    "variation_id": ("variant id", "combination id", "varianto id"),
    "aliases": ("other skus", "alias", "kiti kodai"),
    "store": ("shop", "integration", "parduotuve"),
    "alias_kind": (),
    "value": (),
}  # fmt: skip
FIELDS: tuple[str, ...] = tuple(WORDS)
