"""Offer: the brochure, asked for with a form, given at once through a signed link."""
