"""Settings: checked at start, one clear line each, and every one documented."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from microsite.config import PROJECT_ROOT, StartError, load_settings, setting_names
from microsite.operations.instance_folder import prepare_instance

WRONG = [
    ("MICROSITE_WORKERS", "0", "Réglage MICROSITE_WORKERS='0' : attendu un nombre entier de 1 à 64."),
    ("MICROSITE_WORKERS", "deux", "Réglage MICROSITE_WORKERS='deux' : attendu un nombre entier de 1 à 64."),
    ("MICROSITE_MIN_FILL_SECONDS", "-1", "Réglage MICROSITE_MIN_FILL_SECONDS='-1' : attendu un nombre entier de 0 à 60."),
    ("MICROSITE_PAGE_SECONDS", "61", "Réglage MICROSITE_PAGE_SECONDS='61' : attendu un nombre entier de 0 à 60."),
    ("PORT", "99999", "Réglage PORT='99999' : attendu un nombre entier de 1 à 65535."),
    ("MICROSITE_CHECK_EMAIL_DNS", "oui", "Réglage MICROSITE_CHECK_EMAIL_DNS='oui' : attendu 0 (non) ou 1 (oui)."),
    ("DATABASE_URL", "mysql://a/b", "Réglage DATABASE_URL : attendu sqlite:////chemin/du/fichier ou postgresql"),
    ("DATABASE_URL", "postgresql://a:secret@h:abc/d", "Réglage DATABASE_URL : attendu sqlite:////chemin/du/fichier ou postgresql"),
    ("DATABASE_URL", "sqlite://", "Réglage DATABASE_URL : attendu sqlite:////chemin/du/fichier ou postgresql"),
    ("DATABASE_URL", "sqlite:///:memory:", "Réglage DATABASE_URL : attendu sqlite:////chemin/du/fichier ou"),
    ("MICROSITE_TRUSTED_HOSTS", "https://a.fr", "Réglage MICROSITE_TRUSTED_HOSTS='https://a.fr' : attendu des noms d’hôte"),
    ("MICROSITE_PUBLIC_URL", "www.exemple.fr", "Réglage MICROSITE_PUBLIC_URL='www.exemple.fr' : attendu l’adresse publique"),
    ("MICROSITE_PUBLIC_URL", "https://a.fr/b", "Réglage MICROSITE_PUBLIC_URL='https://a.fr/b' : attendu l’adresse publique"),
    ("MICROSITE_EMBED_HOSTS", "https://a.fr,b.fr", "Réglage MICROSITE_EMBED_HOSTS='https://a.fr,b.fr' : attendu des adresses de sites"),
    ("MICROSITE_SMTP_HOST", "smtp://a.fr:25", "Réglage MICROSITE_SMTP_HOST='smtp://a.fr:25' : attendu un nom d’hôte seul"),
    ("MICROSITE_SMTP_SECURITY", "ssl", "Réglage MICROSITE_SMTP_SECURITY='ssl' : attendu l’un de starttls, tls, none."),
    ("MICROSITE_SMTP_EHLO", "[192.0.2.7]", "Réglage MICROSITE_SMTP_EHLO='[192.0.2.7]' : attendu le nom complet"),
    ("MICROSITE_SMTP_EHLO", "192.0.2.7", "Réglage MICROSITE_SMTP_EHLO='192.0.2.7' : attendu le nom complet"),
    ("MICROSITE_SMTP_EHLO", "mail_1.exemple.fr", "Réglage MICROSITE_SMTP_EHLO='mail_1.exemple.fr' : attendu le nom"),
    ("MICROSITE_SMTP_EHLO", "srv", "Réglage MICROSITE_SMTP_EHLO='srv' : attendu le nom complet"),
    ("MICROSITE_SMTP_EHLO", "localhost.", "Réglage MICROSITE_SMTP_EHLO='localhost.' : attendu le nom complet"),
    ("MICROSITE_SMTP_EHLO", ".", "Réglage MICROSITE_SMTP_EHLO='.' : attendu le nom complet"),
    ("MICROSITE_SMTP_EHLO", "mail.exemple.fr..", "Réglage MICROSITE_SMTP_EHLO='mail.exemple.fr..' : attendu le nom complet"),
    ("MICROSITE_DKIM_SELECTOR", "s1._domainkey.é.fr", "Réglage MICROSITE_DKIM_SELECTOR='s1._domainkey.é.fr' : attendu"),
    ("MICROSITE_IMAP_PASSWORD", "secret-é", "Réglage MICROSITE_IMAP_PASSWORD : attendu des lettres sans accent"),
    ("MICROSITE_SMTP_PASSWORD", "secret-é", "Réglage MICROSITE_SMTP_PASSWORD : attendu des lettres sans accent"),
    ("MICROSITE_PROXIES", "un", "Réglage MICROSITE_PROXIES='un' : attendu un nombre entier de 0 à 5."),
    ("MICROSITE_FORM_RATE_LIMIT", "60/min", "Réglage MICROSITE_FORM_RATE_LIMIT='60/min' : attendu un nombre d’envois par minute"),
    ("MICROSITE_LIMITER_URL", "http://:secret@h/0", "Réglage MICROSITE_LIMITER_URL : attendu redis://hôte:6379/0"),
    ("MICROSITE_LIMITER_URL", "redis://h:port", "Réglage MICROSITE_LIMITER_URL : attendu redis://hôte:6379/0"),
    ("MICROSITE_WORKER", "2", "Réglage MICROSITE_WORKER inconnu ; vouliez-vous dire MICROSITE_WORKERS ?"),
]  # fmt: skip


_MAIL = {"MICROSITE_SMTP_HOST": "smtp.exemple.fr", "MICROSITE_PUBLIC_URL": "https://www.exemple.fr"}
_IMAP = {
    "MICROSITE_IMAP_HOST": "imap.exemple.fr",
    "MICROSITE_IMAP_USER": "rapports",
    "MICROSITE_IMAP_PASSWORD": "sesame",
}
_ACCOUNT = {"MICROSITE_SMTP_USER": "microsite", "MICROSITE_SMTP_PASSWORD": "sesame"}
CONTRADICTIONS = [
    (_MAIL | {"MICROSITE_PUBLIC_URL": ""}, "Réglage MICROSITE_SMTP_HOST : donnez aussi MICROSITE_PUBLIC_URL"),
    (
        _MAIL | {"MICROSITE_PUBLIC_URL": "http://a.fr"},
        "Réglage MICROSITE_PUBLIC_URL : les liens des messages demandent",
    ),
    (_MAIL | {"MICROSITE_SMTP_PORT": "465"}, "Réglage MICROSITE_SMTP_PORT=465 : ce port parle TLS d’emblée"),
    (_MAIL | {"MICROSITE_SMTP_SECURITY": "tls"}, "Réglage MICROSITE_SMTP_SECURITY=tls : le port 587 attend starttls"),
    (_ACCOUNT, "Réglage MICROSITE_SMTP_USER : donnez aussi MICROSITE_SMTP_HOST."),
    ({"MICROSITE_IMAP_HOST": "imap.exemple.fr"}, "Réglages MICROSITE_IMAP_HOST, MICROSITE_IMAP_USER et"),
    (_IMAP | {"MICROSITE_IMAP_SECURITY": "none"}, "Réglage MICROSITE_IMAP_SECURITY=none : un mot de passe partirait"),
    (_IMAP | {"MICROSITE_IMAP_SECURITY": "starttls"}, "Réglage MICROSITE_IMAP_PORT=993 : ce port parle TLS d’emblée"),
    (_MAIL | {"MICROSITE_SMTP_USER": "a"}, "Réglages MICROSITE_SMTP_USER et MICROSITE_SMTP_PASSWORD : donnez les deux"),
    (_MAIL | _ACCOUNT | {"MICROSITE_SMTP_SECURITY": "none"}, "Réglage MICROSITE_SMTP_SECURITY=none : un mot de passe"),
]


@pytest.mark.parametrize(("environ", "line"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_told_in_one_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(StartError) as refused:
        load_settings(environ)

    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)
    assert "sesame" not in str(refused.value)


def test_local_mail_server_asks_for_neither_https_nor_tls() -> None:
    local = _ACCOUNT | {"MICROSITE_SMTP_HOST": "127.0.0.1", "MICROSITE_SMTP_SECURITY": "none"}

    assert load_settings(local | {"MICROSITE_PUBLIC_URL": "http://127.0.0.1:8000"}).smtp_host == "127.0.0.1"


@pytest.mark.parametrize(("name", "value", "line"), WRONG)
def test_wrong_setting_is_told_in_one_line(name: str, value: str, line: str) -> None:
    with pytest.raises(StartError) as refused:
        load_settings({name: value})

    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_every_mistake_has_its_line() -> None:
    with pytest.raises(StartError) as refused:
        load_settings({"PORT": "x", "MICROSITE_WORKERS": "x", "MICROSITE_THREADS": ""})

    assert len(str(refused.value).splitlines()) == 2


def test_start_ends_with_the_line_and_without_a_traceback(tmp_path: Path) -> None:
    environ = {"MICROSITE_INSTANCE_PATH": str(tmp_path), "MICROSITE_WORKERS": "x", "PATH": "/usr/bin:/bin"}

    started = subprocess.run(
        [sys.executable, "-m", "flask", "leads", "export"],
        cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert started.returncode == 1
    assert started.stderr.strip() == "Réglage MICROSITE_WORKERS='x' : attendu un nombre entier de 1 à 64."
    assert started.stdout == ""


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a:b@h/d", "postgresql+psycopg://a:b@h/d"),
        ("postgresql://a:b@h/d", "postgresql+psycopg://a:b@h/d"),
        ("sqlite:////tmp/x.sqlite3", "sqlite:////tmp/x.sqlite3"),
    ],
)
def test_database_address_is_taken_in_its_usual_writings(given: str, used: str) -> None:
    assert load_settings({"DATABASE_URL": given}).sqlalchemy_url == used


def test_database_stands_in_the_instance_folder_unless_told_otherwise(tmp_path: Path) -> None:
    settings = load_settings({"MICROSITE_INSTANCE_PATH": str(tmp_path)})

    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/microsite.sqlite3"


@pytest.mark.parametrize("name", setting_names())
def test_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (PROJECT_ROOT / "docs" / "settings.md").read_text()


def test_instance_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="il doit être accessible en écriture"):
        prepare_instance(load_settings({"MICROSITE_INSTANCE_PATH": str(tmp_path / "file" / "instance")}))


def test_email_dns_is_asked_only_when_set(make_app: Callable[..., Flask]) -> None:
    assert make_app().extensions["settings"].check_email_dns is False
    assert make_app(MICROSITE_CHECK_EMAIL_DNS="1").extensions["settings"].check_email_dns is True
