import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.targets import MAX_URL, Target, TargetError, as_address, networks, objection, parse_url

PRIVATE_4 = [
    "0.0.0.0",  # noqa: S104 - asked for
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE_6 = [
    "::",
    "::1",
    "::127.0.0.1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "93.184.215.14", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"]


def said(address: str, *allowed: str, plain: bool = False) -> str | None:
    return objection(ipaddress.ip_address(address), networks(allowed), plain=plain)


def carried(address: str) -> list[str]:
    """The forms in which an IPv6 address carries this IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    forms = (0xFFFF << 32 | number, 0x2002 << 112 | number << 80, 0x64FF9B << 96 | number)
    return [str(ipaddress.IPv6Address(form)) for form in forms]


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6, *(form for one in PRIVATE_4 for form in carried(one))])
def test_no_address_that_is_not_public_is_sent_to_in_whatever_form(address: str) -> None:
    assert "not public" in (said(address) or "")


@pytest.mark.parametrize("address", [*PUBLIC, *carried("93.184.215.14")])
def test_public_addresses_are_sent_to_by_https_alone(address: str) -> None:
    assert said(address) is None
    assert "https://" in (said(address, plain=True) or "")


def test_a_network_that_is_allowed_may_be_sent_to_also_without_tls() -> None:
    assert said("10.1.2.3", "10.1.0.0/16", plain=True) is None
    assert said("::ffff:10.1.2.3", "10.1.0.0/16") is None
    assert said("fd00::7", "fd00::/8", plain=True) is None
    assert said("10.2.0.1", "10.1.0.0/16") is not None


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_private_is_never_sent_to(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:
        assert objection(address, (), plain=False)


@given(st.ip_addresses(v=6))
def test_what_the_standard_library_calls_private_is_never_sent_to_by_ipv6(address: ipaddress.IPv6Address) -> None:
    if not address.is_global and not address.sixtofour and not address.ipv4_mapped:
        assert objection(address, (), plain=False)


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6])
def test_the_sentence_does_not_tell_what_our_resolver_knows(address: str) -> None:
    assert address not in (said(address) or address)


def test_a_url_is_taken_apart_once() -> None:
    assert parse_url("https://Shop.Example/a%20b/?x=1&y=") == Target("https", "shop.example", 443, "/a%20b/?x=1&y=")
    assert parse_url("http://10.0.0.1:8080") == Target("http", "10.0.0.1", 8080, "/")
    assert parse_url("https://[2606:4700::1]:8443/x") == Target("https", "2606:4700::1", 8443, "/x")
    assert parse_url("https://shop.example./").host == "shop.example"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://a.example/", "a.example"),
        ("https://a.example:443/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("https://[2606:4700::1]:8443/", "[2606:4700::1]:8443"),
    ],
)
def test_the_host_header_names_the_port_where_it_is_not_the_usual_one(url: str, authority: str) -> None:
    assert parse_url(url).authority == authority


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "https://"),
        ("example.com/x", "https://"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://", "no host"),
        ("https:///x", "no host"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://good.example@127.0.0.1/", "user name"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "no URL"),
        ("https://example.com:x/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://[v1.a]/", "brackets"),
        ("https://[fe80::1%25eth0]/", "brackets"),
        ("https://exa mple.com/", "visible ASCII"),
        ("https://example.com/\r\nX: y", "visible ASCII"),
        ("https://example.com\\@127.0.0.1/", "visible ASCII"),
        ("https://bücher.example/", "xn--"),
        ("https://%31%32%37.0.0.1/", "host"),
        ("https://-x.example/", "host"),
        ("https://example.com/<x>", "percent-encoded"),
        ("https://example.com/?q=^", "percent-encoded"),
        ("https://example.com/" + "x" * MAX_URL, "characters"),
    ],
)
def test_a_url_that_is_not_plain_is_refused_with_what_to_do(url: str, why: str) -> None:
    with pytest.raises(TargetError, match=why):
        parse_url(url)


@given(st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_whatever_is_taken_for_a_url_is_safe_to_send(text: str) -> None:
    try:
        target = parse_url(text)
    except TargetError:
        return
    assert f"{target.authority}{target.path}".isascii()
    assert f"{target.authority}{target.path}".isprintable()
    assert " " not in target.path
    assert "@" not in target.host


def test_short_forms_of_an_address_are_names_which_have_to_be_looked_up() -> None:
    assert as_address("127.1") is None
    assert as_address("0x7f.1") is None
    assert as_address("127.0.0.1") == ipaddress.IPv4Address("127.0.0.1")
