"""Addresses of a site of its own (RFC 3879) are not of the public internet, whatever `is_global` says of them."""

import ipaddress

import pytest

from service.http import is_public


@pytest.mark.parametrize("address", ["fec0::1", "feff:ffff::1"])
def test_a_site_local_address_is_not_public(address: str) -> None:
    """Deprecated, and still routed inside sites: a stranger's URL must not reach them."""
    assert not is_public(ipaddress.ip_address(address))
