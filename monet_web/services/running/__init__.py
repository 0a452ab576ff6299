"""One run from its claim to its close, and everything a page tells of runs past and to come."""
