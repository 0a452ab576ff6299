"""What we remember: tables, and behaviour that needs one row. Knows no connector."""
