"""What ops check finds in the DNS of the domain that mails are sent from: SPF, DKIM and DMARC."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.resolver

from ..config import Settings

# Seconds for all questions together.
PATIENCE = 3.0
# Of domains that no DNS knows (RFC 2606, 6761, 6762): what stands in examples and tests.
_NOWHERE = frozenset({"example", "invalid", "test", "localhost", "local"})
# « +all », whose sign may be left out (RFC 7208, section 4.6.2).
_EVERYBODY = frozenset({"all", "+all"})


class Unanswered(Exception):
    """The DNS can't be asked."""


@dataclass(kw_only=True)
class Lookup:
    """Texts in the DNS, asked for until `deadline` (of time.monotonic())."""

    resolver: dns.resolver.Resolver
    deadline: float

    def texts(self, name: str) -> list[str]:
        """The TXT records of that name, pieces joined, in one order for all answers. Raises Unanswered."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Unanswered(name)
        try:
            answer = self.resolver.resolve(name, "TXT", lifetime=left)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError):
            raise Unanswered(name) from None
        return sorted(b"".join(record.strings).decode("utf-8", "replace").strip() for record in answer)


def sender_findings(domain: str, settings: Settings, *, resolver: dns.resolver.Resolver | None = None) -> Iterator[str]:
    """Say in a line each what is missing, and what to paste; `domain` is in ASCII."""
    if domain.rpartition(".")[2] in _NOWHERE:
        return
    try:
        lookup = Lookup(resolver=resolver or dns.resolver.get_default_resolver(), deadline=time.monotonic() + PATIENCE)
        # All before any is said: what can't be asked isn't missing.
        yield from [
            *_spf_findings(lookup, domain, settings),
            *_dkim_findings(lookup, domain, settings.dkim_selector),
            *_dmarc_findings(lookup, domain),
        ]
    except (Unanswered, dns.resolver.NoResolverConfiguration):
        yield (
            f"DNS : pas de réponse pour {domain} en {PATIENCE:.0f} secondes ; SPF, DKIM et DMARC restent à vérifier, "
            "lancez de nouveau ops check"
        )


def _spf_findings(lookup: Lookup, domain: str, settings: Settings) -> Iterator[str]:
    records = [text for text in lookup.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not records:
        yield (
            f"SPF : {domain} ne dit pas qui envoie en son nom. À coller dans le DNS, à moins que votre fournisseur "
            f'd’envoi ne donne un « include: » : {domain}. TXT "v=spf1 {_sender_of(settings)} ~all"'
        )
    elif len(records) > 1:
        merged = " ".join(dict.fromkeys(term for text in records for term in text.split()[1:] if not _is_all(term)))
        yield (
            f"SPF : {domain} a {len(records)} enregistrements « v=spf1 », et aucun ne compte (RFC 7208). N’en gardez "
            f'qu’un : {domain}. TXT "v=spf1 {merged} ~all"'
        )
    elif _EVERYBODY & {term.lower() for term in records[0].split()}:
        fixed = " ".join("~all" if term.lower() in _EVERYBODY else term for term in records[0].split())
        yield (
            f"SPF : « all » sans « ~ » ni « - » laisse n’importe qui envoyer au nom de {domain}. "
            f'À coller à la place : {domain}. TXT "{fixed}"'
        )


def _is_all(term: str) -> bool:
    return term.lstrip("+-~?").lower() == "all"


def _sender_of(settings: Settings) -> str:
    """The mail server as SPF names it; this machine's public name where it is this one."""
    host = settings.smtp_host
    if host in {"localhost", "::1"} or host.startswith("127."):
        return f"a:{settings.ehlo_name or '…'}"
    if ":" in host:
        return f"ip6:{host}"
    return f"ip4:{host}" if host.replace(".", "").isdigit() else f"a:{host}"


def _dkim_findings(lookup: Lookup, domain: str, selector: str) -> Iterator[str]:
    if not selector:
        yield (
            "DKIM : donnez MICROSITE_DKIM_SELECTOR, le sélecteur avec lequel votre serveur d’envoi signe "
            f"(s= dans l’en-tête DKIM-Signature), pour vérifier la clé de {domain}"
        )
        return
    name = f"{selector}._domainkey.{domain}"
    keys = [tags for text in lookup.texts(name) if (tags := _tags(text)).get("v", "DKIM1") == "DKIM1" and "p" in tags]
    if not keys:
        yield (
            f"DKIM : pas de clé publique. À coller dans le DNS, avec la clé que donne votre serveur d’envoi : "
            f'{name}. TXT "v=DKIM1; k=rsa; p=…"'
        )
    elif len(keys) > 1:
        yield f"DKIM : {name} a {len(keys)} clés au lieu d’une ; gardez celle du serveur d’envoi"
    elif not keys[0]["p"]:
        yield (
            f"DKIM : la clé de {name} est révoquée (p= vide). À coller à la place, avec la clé que donne votre serveur "
            f'd’envoi : {name}. TXT "v=DKIM1; k=rsa; p=…"'
        )


def _dmarc_findings(lookup: Lookup, domain: str) -> Iterator[str]:
    """Of the domain itself, else of the nearest one above that has any."""
    for place in _upwards(domain):
        name = f"_dmarc.{place}"
        records = [tags for text in lookup.texts(name) if (tags := _tags(text)).get("v") == "DMARC1"]
        if len(records) > 1:
            yield f"DMARC : {name} a {len(records)} enregistrements, et aucun ne compte (RFC 7489) ; n’en gardez qu’un"
            return
        if records:
            if "p" not in records[0]:
                yield f'DMARC : {name} ne dit pas que faire (p=). À coller à la place : {name}. TXT "v=DMARC1; p=none"'
            return
    name = f"_dmarc.{domain}"
    yield f'DMARC : aucune consigne pour {domain}. À coller dans le DNS : {name}. TXT "v=DMARC1; p=none"'


def _upwards(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        yield ".".join(labels[start:])


def _tags(text: str) -> dict[str, str]:
    """Of a list of tags (RFC 6376, section 3.2), spaces taken out."""
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}
