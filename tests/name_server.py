"""A real DNS server on 127.0.0.1 that knows the TXT records it is given, or says nothing at all."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


@contextmanager
def name_server(
    texts: Mapping[str, list[str]], *, answers: bool = True, rcode: int = 0
) -> Iterator[dns.resolver.Resolver]:
    """What asks it: names that it doesn't know don't exist (NXDOMAIN)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.1)
        done = threading.Event()
        thread = threading.Thread(target=_serve, args=(listening, texts, done, answers, rcode))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], listening.getsockname()[1]
        try:
            yield resolver
        finally:
            done.set()
            thread.join()


def _serve(
    listening: socket.socket, texts: Mapping[str, list[str]], done: threading.Event, answers: bool, rcode: int
) -> None:
    while not done.is_set():
        try:
            wire, sender = listening.recvfrom(4096)
        except TimeoutError:
            continue
        if answers:
            listening.sendto(_answer(dns.message.from_wire(wire), texts, rcode).to_wire(), sender)


def _answer(query: dns.message.Message, texts: Mapping[str, list[str]], rcode: int) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    answer.set_rcode(dns.rcode.Rcode(rcode))
    question = query.question[0]
    known = texts.get(question.name.to_text(omit_final_dot=True).lower())
    if rcode == 0 and known is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif rcode == 0 and known and question.rdtype == dns.rdatatype.TXT:
        answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", "TXT", [f'"{text}"' for text in known]))
    return answer
