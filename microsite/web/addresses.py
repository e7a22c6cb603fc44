"""Where a request comes from, behind as many proxies as are set: what abuse is counted by."""

import hmac
import ipaddress
import logging
import re
import time
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app, request

from .context import current_settings

logger = logging.getLogger("microsite.addresses")

# What one household or telephone is given of IPv6 (RFC 6177, RIPE-690), and changes within at will.
_IPV6_NETWORK = 64
# `[2001:db8::1]:41000`, and the same without a port.
_BRACKETED = re.compile(r"\[([^][]+)\](?::[0-9]*)?")
# `198.51.100.9:41000`, as some balancers write it.
_WITH_PORT = re.compile(r"(.+):[0-9]*")
# IPv6 networks whose addresses end in an IPv4 one: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64
# (RFC 6052, RFC 8215).
_HOLDING_IPV4 = tuple(
    map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"))
)
# Of a school or a company, or between a provider and its customers (RFC 1918, RFC 6598, RFC 4193). Not is_private,
# which has the networks of documents too.
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
# Beside the compressed static files: may be lost, and is in no backup.
_MARKER = Path("cache", "unreadable-addresses")
# Between two lines of the log, in seconds.
_LOG_EVERY = 3600.0

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def sender_network() -> str | None:
    """The visitor's address, or its network where one person has as many addresses as they like.

    None where it can't be read, or where a site of the internet is given one that nobody has there: the proxy in front
    is set wrongly, which is logged and left for `ops check` to find.
    """
    settings = current_settings()
    proxies = settings.proxies
    text = forwarded(request.headers.get("X-Forwarded-For", ""), proxies) if proxies else request.remote_addr
    address = _read(text or "")
    if address is None or (proxies and settings.is_on_internet and _is_internal(address)):
        _log_unreadable_address()
        return None
    if isinstance(address, ipaddress.IPv6Address) and not address.is_link_local:
        return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
    return str(address)


def forwarded(header: str, proxies: int) -> str | None:
    """What the farthest of so many proxies wrote; None where there are fewer values.

    Each proxy adds its own at the end: what stands before those is anybody's.
    """
    values = header.split(",")
    return values[-proxies].strip() if 0 < proxies <= len(values) else None


def unreadable_since(instance: Path, now: datetime, *, within: timedelta) -> bool:
    """Whether a server of this installation met such an address within this time."""
    try:
        return now.timestamp() - (instance / _MARKER).stat().st_mtime < within.total_seconds()
    except OSError:
        return False


def clear_unreadable_marker(instance: Path) -> None:
    """For a server that starts, with other settings perhaps."""
    (instance / _MARKER).unlink(missing_ok=True)


def fingerprint(purpose: str, text: str) -> str:
    """A keyed hash, in hexadecimal, so that what is counted names nobody."""
    key = current_app.secret_key
    if not isinstance(key, str):
        raise TypeError("the application has no secret key")
    # Not hmac.digest(), which lets another thread go on, for milliseconds where there is one.
    return hmac.new(key.encode(), f"{purpose}\0{text}".encode(), "sha256").hexdigest()


def _read(text: str) -> _Address | None:
    """An address as proxies write it: with or without port, brackets, quotes and zone."""
    text = text.strip().strip('"')
    if bracketed := _BRACKETED.fullmatch(text):
        text = bracketed[1]
    address = _parse(text)
    if address is None and (with_port := _WITH_PORT.fullmatch(text)):
        address = _parse(with_port[1])
    if isinstance(address, ipaddress.IPv6Address) and _holds_ipv4(address):
        address = ipaddress.IPv4Address(address.packed[-4:])
    # 0.0.0.0 and :: are what a proxy writes that hides addresses: everybody's.
    return None if address is None or address.is_unspecified else address


def _holds_ipv4(address: ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _HOLDING_IPV4) and not address.is_loopback


def _is_internal(address: _Address) -> bool:
    return address.is_loopback or address.is_link_local or any(address in network for network in _PRIVATE)


def _parse(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _log_unreadable_address() -> None:
    """Log it, at most once an hour in each process, and leave a file whose date says so."""
    now, logged_at = time.monotonic(), current_app.extensions.get("unreadable_address_logged_at")
    if logged_at is not None and now - logged_at < _LOG_EVERY:
        return
    current_app.extensions["unreadable_address_logged_at"] = now
    settings = current_settings()
    logger.warning(
        "the proxy is set wrongly: a visitor's address can't be read, or is a private one (X-Forwarded-For, "
        "MICROSITE_PROXIES=%d); the limits by address are set aside",
        settings.proxies,
    )
    marker = settings.instance_path / _MARKER
    try:
        marker.parent.mkdir(mode=0o700, exist_ok=True)
        marker.touch(mode=0o600)
    except OSError as error:
        logger.warning("%s: %s", marker.name, error.strerror)
