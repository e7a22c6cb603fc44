"""Backups: one dated archive of all that an installation owns, and back again."""
