"""Short references that people can read out over the telephone: BRO-7F3K9Q."""

import re
import secrets

from .models import FormName

# No 0 or O, 1, I or L, no U: 30 signs, 729 million references a form.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_SIGNS = 6
PREFIXES = {FormName.BROCHURE: "BRO", FormName.OPEN_DAY: "JPO", FormName.APPLICATION: "CAN"}
_WRITTEN = re.compile(rf"\b({'|'.join(PREFIXES.values())})-([{ALPHABET}]{{{_SIGNS}}})\b", re.IGNORECASE)


def draw_reference(form: FormName) -> str:
    """A random reference; whether it is free is the database's to say."""
    drawn, signs = secrets.randbelow(len(ALPHABET) ** _SIGNS), ""
    for _ in range(_SIGNS):
        drawn, place = divmod(drawn, len(ALPHABET))
        signs += ALPHABET[place]
    return f"{PREFIXES[form]}-{signs}"


def references_in(text: str) -> tuple[list[str], str]:
    """The references that somebody wrote, and what else there is."""
    return [match[0].upper() for match in _WRITTEN.finditer(text)], _WRITTEN.sub(" ", text)
