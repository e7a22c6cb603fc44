"""Offer: the application form. What it asks lives in the submission; nothing changes after sending."""
