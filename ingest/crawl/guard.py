"""Which addresses the crawl may connect to: none inside a private network, whatever name leads there.

Names are resolved here, each answer is looked at, and the connection is made to the very addresses that were looked at. So a name
that changes its mind between the look and the connection (DNS rebinding) gains nothing, and redirects are held like first requests.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from scrapy.crawler import Crawler
from twisted.internet._resolver import GAIResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

GetAddresses = Callable[..., list[Any]]
"""Resolves a name as ``socket.getaddrinfo`` does."""

#: IPv4 addresses as a NAT64 gateway writes them (RFC 6052, 2.1): the last four bytes are the address that is reached.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Say whether an address is one of the open internet, as far as the registries of special addresses tell.

    Private, loopback, link-local, shared (RFC 6598), documentation, multicast and reserved addresses are not, nor are IPv6 addresses
    that carry such an IPv4 address.

    >>> [is_public(ipaddress.ip_address(one)) for one in ("93.184.215.14", "169.254.169.254", "::ffff:10.0.0.1", "2002:7f00:1::")]
    [True, False, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(slots=True)
class Guard:
    """Decides on addresses, and remembers the last it refused of each host, to say so."""

    #: Hosts that may be private, by name.
    hosts: frozenset[str] = frozenset()
    #: Networks that may be reached though private.
    networks: tuple[Network, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, allowed: Iterable[str]) -> Self:
        """Allow what a catalogue lists: names, addresses, or networks such as ``10.1.0.0/16``."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for item in allowed:
            try:
                networks.append(ipaddress.ip_network(item, strict=False))
            except ValueError:
                hosts.add(item.lower())
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: str) -> bool:
        """Say whether a host that resolved to an address may be connected to there."""
        # An IPv6 address may come with a zone, as in fe80::1%eth0.
        known = ipaddress.ip_address(address.partition("%")[0])
        if is_public(known) or host.lower() in self.hosts or any(known in network for network in self.networks):
            return True
        self.refused[host.lower()] = address
        return False


class GuardedResolver:
    """Resolves names for the reactor and gives only the addresses that the guard allows."""

    def __init__(self, reactor: Any, guard: Guard, get_addresses: GetAddresses) -> None:  # noqa: ANN401  Twisted's types of reactors do not fit its own resolver
        """Resolve in the reactor's threads."""
        self._reactor = reactor
        self._guard = guard
        self._get_addresses = get_addresses

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: object) -> Self:
        """Make it as Scrapy asks for it."""
        return cls(reactor, crawler.settings["BABELWIRE_GUARD"], crawler.settings["BABELWIRE_GET_ADDRESSES"])

    def install_on_reactor(self) -> None:
        """Have every connection come through here, those to literal addresses as well."""
        resolver = GAIResolver(self._reactor, self._reactor.getThreadPool, cast("Any", self.addresses_of))
        self._reactor.installNameResolver(resolver)

    def addresses_of(self, host: str, *arguments: object) -> list[Any]:
        """Resolve a name as ``socket.getaddrinfo`` does; no answer at all where every address is refused."""
        # The last part of an answer is the socket address, which begins with that of the host.
        return [one for one in self._get_addresses(host, *arguments) if self._guard.allows(host, one[4][0])]


#: The system's own resolver.
SYSTEM_ADDRESSES: Final[GetAddresses] = socket.getaddrinfo
