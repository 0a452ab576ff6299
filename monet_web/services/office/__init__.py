"""The company and its people: settings, users, passwords, keys."""
