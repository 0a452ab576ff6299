"""Runs opened: due by the timetable, or launched by a person."""
