"""What is true: pure rules of orders, invoices, VAT, money and time.

The standard library only; `now`, zones and rates are arguments.
"""
