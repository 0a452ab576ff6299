"""What happens: the only room that joins connectors, domain and models.

No Flask; the session and the clock are arguments.
"""
