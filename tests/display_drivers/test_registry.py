"""Drivers are found as any installed plug-in is: by the metadata of distributions on the path."""

import pytest

from display_drivers import registry
from display_drivers.errors import NotAllowedError, PermanentError

PLUGIN = """
from display_drivers.errors import NotAllowedError

def working(config):
    return ("a driver for", dict(config))

def picky(config):
    raise NotAllowedError("The licence key is missing.")

def clumsy(config):
    return config["never there"]
"""
ENTRY_POINTS = """
[shelfcast.drivers]
working = acme_labels:working
picky = acme_labels:picky
clumsy = acme_labels:clumsy
broken = acme_labels_that_nobody_installed:driver
absent = acme_labels:no_such_factory
"""


@pytest.fixture
def _plugin(tmp_path, monkeypatch):
    (tmp_path / "acme_labels.py").write_text(PLUGIN)
    info = tmp_path / "acme_labels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-labels\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)


def test_our_own_drivers_are_registered():
    assert {"gateway", "simulator"} <= set(registry.names())


@pytest.mark.parametrize("name", ["gateway", "simulator"])
def test_our_own_drivers_are_created_by_name(name):
    assert registry.create(name, {"url": "http://127.0.0.1:1"}).info.name == name


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(PermanentError, match=r"no driver named 'simulater'. Known: .*simulator"):
        registry.create("simulater", {})


@pytest.mark.usefixtures("_plugin")
def test_a_plug_in_is_found_and_gets_its_configuration():
    assert "working" in registry.names()
    assert registry.create("working", {"port": "7"}) == ("a driver for", {"port": "7"})


@pytest.mark.usefixtures("_plugin")
@pytest.mark.parametrize("name", ["broken", "absent", "clumsy"])
def test_a_broken_plug_in_says_which_it_is_and_breaks_no_other(name):
    with pytest.raises(PermanentError, match=rf"Driver {name} \(acme_labels.*cannot be used"):
        registry.create(name, {})
    assert registry.create("working", {})
    assert name in registry.names()


@pytest.mark.usefixtures("_plugin")
def test_what_a_driver_says_of_its_configuration_is_passed_on_as_it_is():
    with pytest.raises(NotAllowedError, match=r"^The licence key is missing.$"):
        registry.create("picky", {})
