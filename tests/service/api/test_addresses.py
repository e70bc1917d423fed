"""Who a request comes from, whatever anybody writes into X-Forwarded-For."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.addresses import caller

PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", [], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, [], "unix"),
        ("nonsense", ["192.0.2.1"], "unknown"),
        # nobody but a trusted proxy is believed
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.2.2.2,10.1.1.1"], "198.51.100.7"),
        ("10.0.0.1", ["10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", [], "10.0.0.1"),
        # a proxy on this machine is taken at its word
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::1", ["198.51.100.7"], "198.51.100.7"),
        (None, ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        # as proxies write them
        ("10.0.0.1", ["198.51.100.7:5123"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db8:1:2::9]:5123"], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        ("2001:db8:ffff::1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        # what is no address ends the walk
        ("10.0.0.1", ["198.51.100.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, , 10.1.1.1"], "10.1.1.1"),
    ],
)
def test_failures_are_counted_for_the_last_hop_that_is_no_proxy(peer: str | None, forwarded: list[str], counted: str):
    assert caller(peer, forwarded, PROXIES) == counted


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=60), max_size=3))
def test_whatever_a_stranger_writes_before_a_proxy_changes_nothing(written: list[str]):
    assert caller("10.0.0.1", [*written, "198.51.100.7"], PROXIES) == "198.51.100.7"
    assert caller("198.51.100.7", written, PROXIES) == "198.51.100.7"


@given(st.one_of(st.none(), st.text(max_size=40)), st.lists(st.text(max_size=60), max_size=3))
def test_nothing_written_is_an_error(peer: str | None, written: list[str]):
    assert len(caller(peer, written, PROXIES)) < 64
