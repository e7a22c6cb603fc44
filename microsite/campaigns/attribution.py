"""Where a visitor came from: an allow-list of short texts, nothing that identifies a person."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
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
        """Only the known names, without what can't be printed, cut at LIMIT characters."""
        return cls(**{name: _clean(parameters.get(name, "")) for name in NAMES})

    def arriving(self, *, path: str, referrer: str | None, own_host: str) -> "Attribution":
        """Completed by the first page's own path and, when the visitor comes from another site, its host."""
        return replace(
            self,
            landing_path=self.landing_path or _clean(path),
            referrer_host=self.referrer_host or _foreign_host(referrer, own_host),
        )

    def parameters(self) -> dict[str, str]:
        """What a link or a form carries on: the texts that aren't empty."""
        return {name: value for name, value in asdict(self).items() if value}


NAMES = tuple(item.name for item in fields(Attribution))


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable() and char != "\ufffd").strip()[:LIMIT]


def _foreign_host(referrer: str | None, own_host: str) -> str:
    try:
        host = urlsplit(referrer or "").hostname or ""
        own = urlsplit(f"//{own_host}").hostname
    except ValueError:
        return ""
    return "" if host == own else _clean(host)
