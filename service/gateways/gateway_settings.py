"""What gateways are set to: as their drivers state it, with every secret sealed wherever it is kept."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from display_drivers import registry
from display_drivers.base import DriverInfo
from display_drivers.errors import DriverError
from service.sealing import PREFIX, Sealer

Config = Mapping[str, str]

HIDDEN = "…"
"""What is shown of a secret; sent back, it means the secret that is there."""

_LOOKS_SECRET = re.compile(r"secret|token|password|passwd|key|credential", re.IGNORECASE)
"""Names of settings that are taken for secrets where a driver does not state them."""

_NOT_SEALED = f"may not begin with {PREFIX}"

_decode = msgspec.json.Decoder(dict[str, str]).decode
_decode_info = msgspec.json.Decoder(DriverInfo).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def faults(driver: str, config: Config) -> dict[str, str]:
    """Setting -> what is wrong with it, as far as its driver states what it can be set to. Raises DriverError."""
    stated = registry.settings(driver)
    found = dict.fromkeys((name for name, value in config.items() if value.startswith(PREFIX)), _NOT_SEALED)
    if stated is None:
        return found
    known = ", ".join(setting.name for setting in stated)
    missing = [setting for setting in stated if setting.required and not config.get(setting.name)]
    found |= {setting.name: f"is required: {setting.text}" for setting in missing}
    strangers = config.keys() - {setting.name for setting in stated}
    return found | dict.fromkeys(sorted(strangers), f"is no setting of driver {driver}, which knows {known}")


def sealed(sealer: Sealer, driver: str, config: Config) -> str:
    """The configuration as it is kept: JSON, its secrets sealed."""
    secret = _secrets(driver, config)
    kept = {name: sealer.seal(value) if name in secret and value else value for name, value in config.items()}
    return _encode(kept).decode()


def opened(sealer: Sealer, kept: str) -> dict[str, str]:
    """The configuration as its driver gets it; raises ConflictError if a secret was sealed with another key."""
    return {name: sealer.opened(value) for name, value in _decode(kept).items()}


def shown(driver: str, kept: str) -> dict[str, str]:
    """The configuration as people may see it."""
    config = _decode(kept)
    secret = _secrets(driver, config)
    return {name: HIDDEN if name in secret and value else value for name, value in config.items()}


def merged(sealer: Sealer, kept: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """The configuration after a change: None takes a setting away, and what is left out stays.

    Raises ConflictError if a secret that stays was sealed with another key.
    """
    new = {name: value for name, value in changes.items() if value != HIDDEN}
    stays = {name: value for name, value in _decode(kept).items() if name not in new}
    opened_ = {name: sealer.opened(value) for name, value in stays.items()}
    return opened_ | {name: value for name, value in new.items() if value is not None}


def in_clear(driver: str, kept: str) -> bool:
    """Whether a secret is kept that is not sealed, from before they were."""
    config = _decode(kept)
    return any(config[name] and not config[name].startswith(PREFIX) for name in _secrets(driver, config))


def resealed(sealer: Sealer, driver: str, kept: str) -> str:
    """The same configuration, with those secrets sealed that are not."""
    return sealed(sealer, driver, _decode(kept))


def told(info: DriverInfo) -> str:
    """What a driver states of its hardware, as it is kept."""
    return _encode(info).decode()


def info_of(kept: str | None) -> DriverInfo | None:
    return None if kept is None else _decode_info(kept)


def _secrets(driver: str, config: Config) -> set[str]:
    """The settings that are secret: as the driver says, by their names where it says nothing or is not there."""
    try:
        stated = registry.settings(driver)
    except DriverError:
        stated = None
    known = {setting.name for setting in stated or ()}
    secret = {setting.name for setting in stated or () if setting.secret and setting.name in config}
    secret |= {name for name in config if name not in known and _LOOKS_SECRET.search(name)}
    return secret | {name for name, value in config.items() if value.startswith(PREFIX) or _has_password(value)}


def _has_password(value: str) -> bool:
    """Whether it is a URL that holds one."""
    try:
        return bool(urlsplit(value).password)
    except ValueError:
        return False
