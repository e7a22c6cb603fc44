"""Contacts: the list, one of them with all that is kept, and what is held back."""
