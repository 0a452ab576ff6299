"""What the books are made of beside documents: rates, numbers, VAT codes, and the typed tables they are loaded from."""
