"""Items, what stores call them, and what lies where."""
