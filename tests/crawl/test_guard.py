"""The crawl connects to no private address, whatever name or spelling leads there."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.crawl.guard import Guard, GuardedResolver, is_public

PRIVATE = (
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.5.4",
    "192.0.2.7",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2001:db8::1",
    "2002:c0a8:101::",
    "fc00::1",
    "fe80::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    assert not Guard.of([]).allows("news.example", address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_open_internet_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_is_no_more_public_for_being_written_as_ipv6(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    translated = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) + int(address))
    assert is_public(mapped) == is_public(translated) == is_public(address)


def test_a_catalogue_may_allow_a_host_an_address_or_a_network() -> None:
    guard = Guard.of(["Intranet.example", "10.1.0.0/16", "::1"])
    assert guard.allows("intranet.example", "192.168.1.1")
    assert guard.allows("other.example", "10.1.2.3")
    assert guard.allows("other.example", "::1")
    assert not guard.allows("other.example", "10.2.0.1")
    assert guard.refused == {"other.example": "10.2.0.1"}


def resolver(answers: dict[str, list[str]], *allowed: str) -> GuardedResolver:
    def get_addresses(host: str, *_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in answers[host]]

    return GuardedResolver(None, Guard.of(allowed), get_addresses)


def test_of_several_addresses_of_a_name_only_the_public_ones_are_given() -> None:
    found = resolver({"news.example": ["10.0.0.1", "1.1.1.1", "127.0.0.1"]}).addresses_of("news.example")
    assert [one[4][0] for one in found] == ["1.1.1.1"]


def test_a_name_that_leads_inside_has_no_address_at_all() -> None:
    assert resolver({"rebind.example": ["169.254.169.254"]}).addresses_of("rebind.example") == []


def test_the_systems_own_resolver_is_held_as_well_for_odd_spellings_of_loopback() -> None:
    for spelling in ("127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"):
        try:
            found = GuardedResolver(None, Guard.of([]), socket.getaddrinfo).addresses_of(spelling, 80)
        except OSError:
            continue  # a system that does not take the spelling is safe from it
        assert found == []
