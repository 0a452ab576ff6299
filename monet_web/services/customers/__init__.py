"""Customers: found, shown, corrected, merged. No invoice ever changes by it: each keeps its own copy of its buyer."""
