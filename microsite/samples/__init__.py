"""Data sets of invented people, marked as such, to try an installation and to measure it with."""
