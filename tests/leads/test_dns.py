"""MICROSITE_CHECK_EMAIL_DNS, against a real DNS server on the loopback."""

import socket
import threading
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from flask import Flask

from ..answers import BROCHURE
from ..page import CheckedClient


@pytest.fixture
def dns_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Knows exemple.fr, which receives mail; says of every other domain that it doesn't exist; silent on lent.fr."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    thread = threading.Thread(target=_answer, args=(server,))
    thread.start()
    yield
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
        knock.sendto(b"", server.getsockname())
    thread.join()
    server.close()


def _answer(server: socket.socket) -> None:
    while True:
        wire, address = server.recvfrom(512)
        if not wire:
            return
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        if name.to_text() == "lent.fr.":
            continue
        answer = dns.message.make_response(query)
        if name.to_text() == "exemple.fr.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "MX", "10 mx.exemple.fr."))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), address)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.usefixtures("dns_server")
@pytest.mark.parametrize(("domain", "status"), [("exemple.fr", 303), ("nexistepas.fr", 422), ("lent.fr", 303)])
def test_domain_without_mail_is_refused_and_a_silent_dns_refuses_nobody(
    make_app: Callable[..., Flask], domain: str, status: int
) -> None:
    client = make_app(MICROSITE_CHECK_EMAIL_DNS="1").test_client()
    assert isinstance(client, CheckedClient)

    page = client.send(client.page("/brochure").form("/brochure"), **BROCHURE | {"email": f"zoe@{domain}"})

    assert page.status == status
    if status == 422:
        assert page.errors() == {"email": "Ce domaine ne reçoit pas d’e-mails : vérifiez ce qui suit le signe @."}
