"""Somebody else's shops: stores that speak the real platforms' protocols. Knows nothing of services and models."""
