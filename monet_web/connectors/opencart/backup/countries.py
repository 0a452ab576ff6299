"""Countries by the numbers that every OpenCart is installed with, for backups made without the table of countries."""

from __future__ import annotations

STOCK_COUNTRIES = {
    "14": "AT", "20": "BY", "21": "BE", "33": "BG", "38": "CA", "53": "HR", "55": "CY", "56": "CZ", "57": "DK",
    "67": "EE", "72": "FI", "74": "FR", "81": "DE", "84": "GR", "97": "HU", "98": "IS", "103": "IE", "105": "IT",
    "117": "LV", "122": "LI", "123": "LT", "124": "LU", "132": "MT", "150": "NL", "160": "NO", "170": "PL",
    "171": "PT", "175": "RO", "189": "SK", "190": "SI", "195": "ES", "203": "SE", "204": "CH", "220": "UA",
    "222": "GB", "223": "US",
}  # fmt: skip
