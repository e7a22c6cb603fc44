"""ops check asks the DNS of the sender's domain: SPF, DKIM, DMARC, each missing, wrong and right."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dns.resolver
import pytest
from flask import Flask

from microsite.config import load_settings
from microsite.operations.check_dns import sender_findings

from ..conftest import Environ
from ..mail_server import MailServer
from ..name_server import name_server
from ..outbox.conftest import make_smtp_app, smtp_settings

SPF = {"ecole.fr": ["v=spf1 include:_spf.envoi.fr -all", "google-site-verification=x"]}
DKIM = {"s2027._domainkey.ecole.fr": ["v=DKIM1; k=rsa; p=MIIBIjAN BgkqhkiG"]}
DMARC = {"_dmarc.ecole.fr": ["v=DMARC1; p=quarantine; rua=mailto:dmarc@ecole.fr"]}
RIGHT = SPF | DKIM | DMARC


@pytest.fixture
def engine_name() -> str:
    """None of this depends on the database."""
    return "sqlite"


def _findings(texts: Mapping[str, list[str]], domain: str = "ecole.fr", **settings: str) -> list[str]:
    given = smtp_settings(25) | {"MICROSITE_SMTP_HOST": "smtp.envoi.fr", "MICROSITE_DKIM_SELECTOR": "s2027"}
    with name_server(texts) as resolver:
        return list(sender_findings(domain, load_settings(given | settings), resolver=resolver))


def test_domain_with_all_three_has_nothing_to_do() -> None:
    assert _findings(RIGHT) == []
    assert (
        _findings(
            RIGHT
            | {
                "s2027._domainkey.ecole.fr": [
                    "k=rsa;p=MIIB",
                ]
            }
        )
        == []
    )


def test_what_is_missing_is_said_with_what_to_paste() -> None:
    spf, dkim, dmarc = _findings({"ecole.fr": []})

    assert spf.startswith("SPF : ecole.fr ne dit pas qui envoie")
    assert spf.endswith('ecole.fr. TXT "v=spf1 a:smtp.envoi.fr ~all"')
    assert dkim.endswith('s2027._domainkey.ecole.fr. TXT "v=DKIM1; k=rsa; p=…"')
    assert dmarc.endswith('_dmarc.ecole.fr. TXT "v=DMARC1; p=none"')
    assert len(_findings({})) == 3


def test_selector_that_nobody_gave_is_asked_for() -> None:
    assert [line.split(",")[0] for line in _findings(RIGHT, MICROSITE_DKIM_SELECTOR="")] == [
        "DKIM : donnez MICROSITE_DKIM_SELECTOR"
    ]


@pytest.mark.parametrize(
    ("wrong", "beginning", "paste"),
    [
        (
            {"ecole.fr": ["v=spf1 include:a.fr -all", "v=spf1 ip4:192.0.2.1 ~all"]},
            "SPF : ecole.fr a 2 enregistrements",
            '"v=spf1 include:a.fr ip4:192.0.2.1 ~all"',
        ),
        ({"ecole.fr": ["v=spf1 mx +all"]}, "SPF : « all » sans", '"v=spf1 mx ~all"'),
        ({"ecole.fr": ["v=spf1 mx all"]}, "SPF : « all » sans", '"v=spf1 mx ~all"'),
        ({"ecole.fr": ["v=spf10 mx -all"]}, "SPF : ecole.fr ne dit pas", "~all"),
        (
            {"s2027._domainkey.ecole.fr": ["v=DKIM1; p="]},
            "DKIM : la clé de s2027._domainkey.ecole.fr est révoquée",
            "p=…",
        ),
        ({"s2027._domainkey.ecole.fr": ["v=DKIM1; k=rsa"]}, "DKIM : pas de clé publique", "p=…"),
        ({"s2027._domainkey.ecole.fr": ["v=DKIM1; p=a", "v=DKIM1; p=b"]}, "DKIM : s2027._domainkey.ecole.fr a 2", ""),
        ({"_dmarc.ecole.fr": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "DMARC : _dmarc.ecole.fr a 2", ""),
        ({"_dmarc.ecole.fr": ["v=DMARC1; rua=mailto:a@ecole.fr"]}, "DMARC : _dmarc.ecole.fr ne dit pas", "p=none"),
        ({"_dmarc.ecole.fr": ["v=spf1 -all"]}, "DMARC : aucune consigne", "p=none"),
    ],
)
def test_what_is_wrong_is_said(wrong: dict[str, list[str]], beginning: str, paste: str) -> None:
    line, *others = _findings(RIGHT | wrong)

    assert others == []
    assert line.startswith(beginning)
    assert paste in line


def test_subdomain_goes_by_the_policy_of_the_domain_above() -> None:
    own = {"mail.ecole.fr": ["v=spf1 -all"], "s2027._domainkey.mail.ecole.fr": ["v=DKIM1; p=a"]}

    assert _findings(own | DMARC, "mail.ecole.fr") == []
    assert _findings(own, "mail.ecole.fr") == [
        'DMARC : aucune consigne pour mail.ecole.fr. À coller dans le DNS : _dmarc.mail.ecole.fr. TXT "v=DMARC1; p=none"'
    ]


@pytest.mark.parametrize(
    ("host", "named"),
    [("192.0.2.7", "ip4:192.0.2.7"), ("localhost", "a:www.ecole.example"), ("127.0.0.1", "a:www.ecole.example")],
)
def test_pasted_spf_names_who_sends(host: str, named: str) -> None:
    assert f'"v=spf1 {named} ~all"' in _findings(DKIM | DMARC, MICROSITE_SMTP_HOST=host)[0]


@pytest.mark.parametrize("how", [{"answers": False}, {"rcode": 2}], ids=["silent", "failing"])
def test_dns_that_does_not_answer_is_said_in_one_line(how: dict[str, int]) -> None:
    with name_server(RIGHT, **how) as resolver:  # type: ignore[arg-type]
        lines = list(sender_findings("ecole.fr", load_settings(smtp_settings(25)), resolver=resolver))

    assert len(lines) == 1
    assert lines[0].startswith("DNS : pas de réponse pour ecole.fr en 3 secondes")


def test_check_asks_the_machine_s_own_dns(
    make_app: Callable[..., Flask], environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as server, name_server(SPF | DKIM) as resolver:
        app = make_smtp_app(make_app, environ, server.port, MICROSITE_DKIM_SELECTOR="s2027")
        school = Path(environ["MICROSITE_INSTANCE_PATH"]) / "content" / "school.toml"
        school.write_text(school.read_text().replace("sender@ecole.example", "admissions@ecole.fr"))
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        app = make_app(**smtp_settings(server.port) | {"MICROSITE_DKIM_SELECTOR": "s2027"})

        output = app.test_cli_runner().invoke(args=["ops", "check"]).output
        quick = app.test_cli_runner().invoke(args=["ops", "check", "--fast"]).output

    assert (
        'DMARC : aucune consigne pour ecole.fr. À coller dans le DNS : _dmarc.ecole.fr. TXT "v=DMARC1; p=none"'
        in output
    )
    assert "SPF" not in output
    assert "DMARC" not in quick
