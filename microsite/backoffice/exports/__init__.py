"""Taking leads out: what is offered, how far it is, the file; and the mark between old and new."""
