"""Monet Web: orders from e-shops into sales invoices. Importing this package loads nothing else."""
