"""Where a visitor came from: an allow-list of short texts, nothing that identifies a person.

Click identifiers (gclid, fbclid…) aren't on the list: they stand for one click, hence for one person.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlsplit

# Characters kept of each text; a longer one is a mistake or an attack, not a campaign.
LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The names are those of the query parameters, the hidden fields, the columns and the CSV headings."""

    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    referrer_host: str = ""
    landing_path: str = ""
    article: str = ""
    embed_host: str = ""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "Attribution":
        """Only the known names, each made tidy."""
        return cls(**{name: tidy(name, parameters[name]) for name in NAMES if name in parameters})

    def arriving(self, *, path: str, referrer: str | None, own_host: str) -> "Attribution":
        """Completed by the first page's own path and, when the visitor comes from another site, its host."""
        return replace(
            self,
            landing_path=self.landing_path or tidy("landing_path", path),
            referrer_host=self.referrer_host or _foreign_host(referrer, own_host),
        )

    def parameters(self) -> dict[str, str]:
        """What a link or a form carries on: the texts that aren't empty."""
        return {name: value for name, value in vars(self).items() if value}


NAMES = tuple(item.name for item in fields(Attribution))
# « Instagram » and « instagram » are one source; the case of a host says nothing (RFC 3986, section 3.2.2).
_FOLDED = frozenset({"utm_source", "utm_medium", "referrer_host", "embed_host"})
_HYPHENATED = frozenset({"utm_source", "utm_medium"})


def tidy(name: str, text: str) -> str:
    """The text as it is kept under this name, LIMIT characters at most; what is tidy already comes back unchanged.

    Signs that can't be printed go. Spaces around go too, and those inside become one: in a source or a medium, one
    hyphen, as people type it who know that an address holds no space.
    """
    if not text:
        return ""
    if text.isascii() and text.isprintable():
        # What almost all of them are.
        words = (text.lower() if name in _FOLDED else text).split()
    else:
        text = folded(text) if name in _FOLDED else unicodedata.normalize("NFC", text)
        words = "".join(" " if char.isspace() else char for char in text if _is_kept(char)).split()
    joint = "-" if name in _HYPHENATED else " "
    return joint.join(words)[:LIMIT].strip()


def folded(text: str) -> str:
    """The same for every case, by caseless matching as Unicode defines it (section 3.13, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _is_kept(char: str) -> bool:
    return (char.isprintable() or char.isspace()) and char != "\ufffd"


def _foreign_host(referrer: str | None, own_host: str) -> str:
    if not referrer:
        return ""
    try:
        host = urlsplit(referrer).hostname or ""
        own = urlsplit(f"//{own_host}").hostname
    except ValueError:
        return ""
    return "" if host == own else tidy("referrer_host", host)
