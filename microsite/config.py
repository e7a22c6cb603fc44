"""Settings: read from the environment, checked once at start, then frozen."""

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_ORIGIN = re.compile(r"(https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?)/?", re.IGNORECASE)
_SITE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::0*(?P<port>[1-9][0-9]{0,4}))?/?"
)
_HOST = re.compile(r"|[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+", re.IGNORECASE)
# Implicit TLS, and STARTTLS (RFC 8314, section 7.3; RFC 6409).
_TLS_PORT = 465
_STARTTLS_PORT = 587
_IMAPS_PORT = 993
# How often one e-mail may come in an hour.
_BY_EMAIL = 5
_RATES = re.compile(r"([0-9]{1,6})(?: *, *([0-9]{1,6}))?")
_COUNTERS = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
# A host's name, with letters in its last part: no address.
_HOST_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
# RFC 6376, section 3.1: labels of a domain name.
_SELECTOR = re.compile(r"|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
_LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
# Last labels of names that the internet doesn't have (RFC 6761; RFC 6762, appendix G; RFC 8375).
_LOCAL_DOMAINS = frozenset({"arpa", "corp", "home", "internal", "intranet", "lan", "local", "localhost", "private"})


# Their values stay out of messages: an address of a database may hold a password too.
_SECRETS = frozenset({"DATABASE_URL", "MICROSITE_SMTP_PASSWORD", "MICROSITE_IMAP_PASSWORD", "MICROSITE_LIMITER_URL"})


class StartError(SystemExit):
    """A mistake in settings or content: the process ends with these lines instead of a traceback."""


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"un nombre entier de {low} à {high}")
        return int(text)

    return parse


def _yes_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("0 (non) ou 1 (oui)")
    return text == "1"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("une adresse IP, comme 127.0.0.1 ou 0.0.0.0") from None


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip().lower().rstrip(".") for part in text.split(",") if part.strip(" ."))
    if not hosts or any("/" in host or " " in host for host in hosts):
        raise ValueError("des noms d’hôte séparés par des virgules, comme www.exemple.fr,exemple.fr")
    return hosts


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("un nom d’hôte seul, comme smtp.exemple.fr ; le port a son réglage")
    return text


def _host_name(text: str) -> str:
    """With a dot in it, for many mail servers ask for one, but none behind it, which a greeting doesn't have."""
    name = text.lower().removesuffix(".")
    if text and not _HOST_NAME.fullmatch(name):
        raise ValueError("le nom complet d’une machine, comme www.exemple.fr, sans crochets ni adresse IP")
    return name


def _selector(text: str) -> str:
    if not _SELECTOR.fullmatch(text):
        raise ValueError("un sélecteur DKIM, comme mail ou s2027, sans le domaine ni « ._domainkey »")
    return text.lower().removesuffix("._domainkey")


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("des lettres sans accent, chiffres et signes (ASCII)")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"l’un de {', '.join(words)}")
        return text

    return parse


def _origin(text: str) -> str:
    """Scheme and host of an address without a path (RFC 6454), empty if none is given."""
    match = _ORIGIN.fullmatch(text)
    if text and match is None:
        raise ValueError("l’adresse publique du site, sans chemin, comme https://www.exemple.fr")
    return match[1].lower() if match else ""


def parse_origin(text: str) -> str:
    """Where another site's pages come from, as browsers write it (RFC 6454, section 6.2): no usual port, lower case.

    Goes into a header: nothing but letters, digits, dots and hyphens. Raises ValueError with what is expected.
    """
    match = _SITE.fullmatch(text.strip().lower())
    if match is None or int(match["port"] or 0) > 65535:
        raise ValueError("l’adresse d’un site, sans chemin, comme https://www.partenaire.fr (accents : en xn--…)")
    scheme, host, port = match["scheme"], match["host"], match["port"]
    usual = {"https": "443", "http": "80"}[scheme]
    return f"{scheme}://{host}" if port in (None, usual) else f"{scheme}://{host}:{port}"


def _origins(text: str) -> tuple[str, ...]:
    try:
        return tuple(parse_origin(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError(
            "des adresses de sites, sans chemin, séparées par des virgules, comme https://www.partenaire.fr"
        ) from None


def _database_url(text: str) -> str:
    if not text:
        return ""
    expected = "sqlite:////chemin/du/fichier ou postgresql://compte:secret@hôte/base"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(expected) from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.drivername != "sqlite" or url.database in (None, "", ":memory:"):
        raise ValueError(expected)
    return text


def _form_rate(text: str) -> tuple[int, int]:
    """Submissions of one address in a minute, and of one e-mail in an hour; 0 is no limit."""
    match = _RATES.fullmatch(text)
    if match is None:
        raise ValueError("un nombre d’envois par minute et par adresse, et s’il le faut par heure et par e-mail : 60,5")
    return int(match[1]), int(match[2] or _BY_EMAIL)


def _limiter_url(text: str) -> str:
    """Where submissions are counted; empty: in each process's own memory. Valkey speaks Redis."""
    if not text:
        return ""
    expected = "redis://hôte:6379/0, rediss://… ou valkey://…"
    try:
        url = urlsplit(text)
        is_right = url.scheme in _COUNTERS and url.hostname and (url.port or 1)
    except ValueError:
        raise ValueError(expected) from None
    if not is_right:
        raise ValueError(expected)
    return url._replace(scheme=_COUNTERS[url.scheme]).geturl()


def _setting(name: str, default: str, parse: Callable[[str], Any]) -> Any:
    return field(metadata={"name": name, "default": default, "parse": parse}, repr=name not in _SECRETS)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One installation's settings; docs/settings.md describes each."""

    instance_path: Path = _setting("MICROSITE_INSTANCE_PATH", str(PROJECT_ROOT / "instance"), _path)
    database_url: str = _setting("DATABASE_URL", "", _database_url)
    host: str = _setting("MICROSITE_HOST", "127.0.0.1", _address)
    port: int = _setting("PORT", "8000", _whole_number(1, 65535))
    workers: int = _setting("MICROSITE_WORKERS", "2", _whole_number(1, 64))
    threads: int = _setting("MICROSITE_THREADS", "8", _whole_number(1, 64))
    trusted_hosts: tuple[str, ...] = _setting("MICROSITE_TRUSTED_HOSTS", "127.0.0.1,localhost", _hosts)
    second_step: str = _setting("MICROSITE_SECOND_STEP", "offered", _one_of("offered", "administrators", "everybody"))
    hsts: str = _setting("MICROSITE_HSTS", "host", _one_of("host", "subdomains", "none"))
    proxies: int = _setting("MICROSITE_PROXIES", "0", _whole_number(0, 5))
    public_url: str = _setting("MICROSITE_PUBLIC_URL", "", _origin)
    embed_hosts: tuple[str, ...] = _setting("MICROSITE_EMBED_HOSTS", "", _origins)
    min_fill_seconds: int = _setting("MICROSITE_MIN_FILL_SECONDS", "2", _whole_number(0, 60))
    page_seconds: int = _setting("MICROSITE_PAGE_SECONDS", "60", _whole_number(0, 60))
    form_rate_limit: tuple[int, int] = _setting("MICROSITE_FORM_RATE_LIMIT", f"60,{_BY_EMAIL}", _form_rate)
    limiter_url: str = _setting("MICROSITE_LIMITER_URL", "", _limiter_url)
    check_email_dns: bool = _setting("MICROSITE_CHECK_EMAIL_DNS", "0", _yes_no)
    smtp_host: str = _setting("MICROSITE_SMTP_HOST", "", _host)
    smtp_port: int = _setting("MICROSITE_SMTP_PORT", "587", _whole_number(1, 65535))
    smtp_security: str = _setting("MICROSITE_SMTP_SECURITY", "starttls", _one_of("starttls", "tls", "none"))
    smtp_user: str = _setting("MICROSITE_SMTP_USER", "", _ascii)
    smtp_password: str = _setting("MICROSITE_SMTP_PASSWORD", "", _ascii)
    smtp_timeout: int = _setting("MICROSITE_SMTP_TIMEOUT", "10", _whole_number(1, 60))
    smtp_ehlo: str = _setting("MICROSITE_SMTP_EHLO", "", _host_name)
    dkim_selector: str = _setting("MICROSITE_DKIM_SELECTOR", "", _selector)
    imap_host: str = _setting("MICROSITE_IMAP_HOST", "", _host)
    imap_port: int = _setting("MICROSITE_IMAP_PORT", "993", _whole_number(1, 65535))
    imap_security: str = _setting("MICROSITE_IMAP_SECURITY", "tls", _one_of("starttls", "tls", "none"))
    imap_user: str = _setting("MICROSITE_IMAP_USER", "", _ascii)
    imap_password: str = _setting("MICROSITE_IMAP_PASSWORD", "", _ascii)
    imap_folder: str = _setting("MICROSITE_IMAP_FOLDER", "INBOX", _ascii)
    log_format: str = _setting("MICROSITE_LOG_FORMAT", "text", _one_of("text", "json"))
    notify_admissions: str = _setting("MICROSITE_NOTIFY_ADMISSIONS", "each", _one_of("each", "hourly", "daily", "none"))

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.instance_path / 'microsite.sqlite3'}"

    @property
    def site_url(self) -> str:
        """What mailed links begin with: the public address, or this machine's own."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def ehlo_name(self) -> str | None:
        """What we call ourselves to mail servers (RFC 5321, section 4.1.1.1); None where no setting has a name."""
        name = self.smtp_ehlo or self._public_host
        return name if _HOST_NAME.fullmatch(name) else None

    @property
    def all_hosts(self) -> tuple[str, ...]:
        """The names that the site answers to; the public one needn't be given twice."""
        return (*self.trusted_hosts, self._public_host) if self._public_host else self.trusted_hosts

    @property
    def _public_host(self) -> str:
        return (urlsplit(self.public_url).hostname or "").rstrip(".")

    @property
    def is_on_internet(self) -> bool:
        """Whether the public address is one of the internet, not of this machine or of a private network."""
        host = (urlsplit(self.public_url).hostname or "").rstrip(".")
        try:
            return ipaddress.ip_address(host).is_global
        except ValueError:
            return "." in host and host.rpartition(".")[2] not in _LOCAL_DOMAINS

    def contradictions(self) -> list[str]:
        """Settings that are right one by one and wrong together."""
        found = []
        is_local = self.smtp_host in _LOCAL_HOSTS
        if self.smtp_host and not self.public_url:
            found.append(
                "Réglage MICROSITE_SMTP_HOST : donnez aussi MICROSITE_PUBLIC_URL, où mènent les liens des messages."
            )
        if self.smtp_host and not is_local and self.public_url.startswith("http:"):
            # RFC 8058, section 3.1: mail programs unsubscribe by HTTPS alone.
            found.append("Réglage MICROSITE_PUBLIC_URL : les liens des messages demandent une adresse en https://.")
        if self.smtp_port == _TLS_PORT and self.smtp_security == "starttls":
            found.append("Réglage MICROSITE_SMTP_PORT=465 : ce port parle TLS d’emblée, MICROSITE_SMTP_SECURITY=tls.")
        if self.smtp_port == _STARTTLS_PORT and self.smtp_security == "tls":
            found.append(
                "Réglage MICROSITE_SMTP_SECURITY=tls : le port 587 attend starttls ; pour tls, souvent le 465."
            )
        if self.smtp_user and not self.smtp_host:
            found.append("Réglage MICROSITE_SMTP_USER : donnez aussi MICROSITE_SMTP_HOST.")
        if bool(self.smtp_user) != bool(self.smtp_password):
            found.append("Réglages MICROSITE_SMTP_USER et MICROSITE_SMTP_PASSWORD : donnez les deux, ou aucun.")
        if self.smtp_user and self.smtp_security == "none" and not is_local:
            found.append(
                "Réglage MICROSITE_SMTP_SECURITY=none : un mot de passe partirait en clair ; attendu starttls ou tls."
            )
        return [*found, *self._imap_contradictions()]

    def _imap_contradictions(self) -> Iterator[str]:
        account = (self.imap_host, self.imap_user, self.imap_password)
        if any(account) and not all(account):
            yield "Réglages MICROSITE_IMAP_HOST, MICROSITE_IMAP_USER et MICROSITE_IMAP_PASSWORD : les trois, ou aucun."
        if self.imap_host and self.imap_security == "none" and self.imap_host not in _LOCAL_HOSTS:
            yield "Réglage MICROSITE_IMAP_SECURITY=none : un mot de passe partirait en clair ; attendu tls ou starttls."
        if self.imap_port == _IMAPS_PORT and self.imap_security == "starttls":
            yield "Réglage MICROSITE_IMAP_PORT=993 : ce port parle TLS d’emblée ; pour starttls, souvent le 143."


def setting_names() -> list[str]:
    return [item.metadata["name"] for item in fields(Settings)]


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read every setting; an empty variable counts as absent.

    Raises StartError with one line for each mistake, unknown MICROSITE_* names included.
    """
    values: dict[str, Any] = {}
    mistakes = _unknown_names(environ)
    for item in fields(Settings):
        name = item.metadata["name"]
        text = environ.get(name) or item.metadata["default"]
        try:
            values[item.name] = item.metadata["parse"](text)
        except ValueError as error:
            shown = "" if name in _SECRETS else f"={text!r}"
            mistakes.append(f"Réglage {name}{shown} : attendu {error}.")
    if mistakes:
        raise StartError("\n".join(mistakes))
    settings = Settings(**values)
    if contradictions := settings.contradictions():
        raise StartError("\n".join(contradictions))
    return settings


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = setting_names()
    mistakes = []
    for name in sorted(environ):
        if name.startswith("MICROSITE_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" ; vouliez-vous dire {near[0]} ?" if near else "."
            mistakes.append(f"Réglage {name} inconnu{hint} La liste est dans docs/settings.md.")
    return mistakes
