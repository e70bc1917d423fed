from pathlib import Path

import pytest

from service.core.limits import Plan
from service.settings import Settings, SettingsError, load, prepare, unknown


def faults(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load({f"SHELFCAST_{name}": value for name, value in environ.items()})
    return caught.value.faults


def test_with_no_configuration_everything_has_a_value():
    settings = load({})
    assert settings.host == "127.0.0.1"
    assert settings.sqlalchemy_url == f"sqlite+aiosqlite:///{settings.data_dir}/shelfcast.db"
    assert settings.redis_dsn == f"unix://{settings.data_dir}/redis.sock"


def test_a_variable_that_is_set_but_empty_counts_as_not_set():
    assert load({"SHELFCAST_PORT": "", "SHELFCAST_DATABASE_URL": " "}) == load({})


def test_every_fault_is_reported_at_once_and_names_its_variable_and_the_mend():
    found = faults(PORT="eighty", LOG_LEVEL="loud", POLL_EVERY="-1", REDIS_URL="localhost", ALLOW_PLAIN_HTTP="maybe")
    assert [fault.split()[0] for fault in found] == [
        "SHELFCAST_PORT",
        "SHELFCAST_REDIS_URL",
        "SHELFCAST_LOG_LEVEL",
        "SHELFCAST_ALLOW_PLAIN_HTTP",
        "SHELFCAST_POLL_EVERY",
    ]
    assert found[0] == "SHELFCAST_PORT is not a whole number from 1 to 65535."


@pytest.mark.parametrize("value", ["0", "65536", "-1", "8080.0", "\u0668\u0660", "1_000"])
def test_a_port_that_is_none_is_refused(value: str):
    assert len(faults(PORT=value)) == 1


@pytest.mark.parametrize("value", ["nan", "inf", "soon", "-0.1"])
def test_a_duration_that_is_none_is_refused(value: str):
    assert "is not a number of seconds from 0.1 to 600" in faults(LEASE=value)[0]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p%40@db/shelf", "postgresql+asyncpg://u:p%40@db/shelf"),
        ("postgresql://db:5433/shelf?sslmode=require", "postgresql+asyncpg://db:5433/shelf?ssl=require"),
        ("postgresql+asyncpg://db/shelf", "postgresql+asyncpg://db/shelf"),
        ("postgresql:///shelf?host=/run/postgresql", "postgresql+asyncpg:///shelf?host=/run/postgresql"),
    ],
)
def test_every_usual_form_of_a_postgresql_url_is_taken(given: str, used: str):
    assert load({"SHELFCAST_DATABASE_URL": given}).sqlalchemy_url == used


def test_another_database_is_refused_with_the_mend():
    assert "SHELFCAST_DATA_DIR" in faults(DATABASE_URL="sqlite:///shelf.db")[0]


def test_a_valkey_url_is_a_redis_url():
    assert load({"SHELFCAST_REDIS_URL": "valkey://cache:6379/1"}).redis_dsn == "redis://cache:6379/1"


def test_a_secret_is_read_from_the_file_that_is_named_for_it(tmp_path: Path):
    file = tmp_path / "url"
    file.write_text("postgresql://u:p@db/shelf\n")
    settings = load({"SHELFCAST_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == "postgresql+asyncpg://u:p@db/shelf"


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path):
    assert "No such file" in faults(DATABASE_URL_FILE=str(tmp_path / "absent"))[0]


def test_a_value_and_a_file_for_it_are_one_too_many():
    assert "keep one" in faults(PORT="80", PORT_FILE="/port")[0]


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RECONCILE_EVERY": "7"}, "divide 60"),
        ({"POLL_EVERY": "60", "VERIFY_FOR": "30"}, "SHELFCAST_VERIFY_FOR"),
        ({"RETRY_FIRST": "60", "RETRY_MOST": "30"}, "SHELFCAST_RETRY_MOST"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], named: str):
    assert named in faults(**environ)[0]


def test_trusted_proxies_are_addresses_and_networks():
    settings = load({"SHELFCAST_TRUSTED_PROXIES": "10.0.0.5, 10.1.0.0/16,::1"})
    assert settings.trusted_proxies == ("10.0.0.5", "10.1.0.0/16", "::1")
    assert "'proxy.local'" in faults(TRUSTED_PROXIES="10.0.0.5,proxy.local")[0]


def test_plans_are_configuration():
    assert load({}).plans == (Plan("growth", 500, 20), Plan("pro", 10_000, 200))
    assert load({"SHELFCAST_PLANS": "till=900/30"}).plans == (Plan("till", 900, 30),)
    (fault,) = faults(PLANS="growth=20")
    assert fault.startswith("SHELFCAST_PLANS holds 'growth=20', which is no plan; write ")


def test_a_variable_that_nothing_reads_is_named_with_the_one_that_was_meant():
    environ = {"SHELFCAST_DATABSE_URL": "x", "SHELFCAST_TOKEN": "x", "SHELFCAST_PORT_FILE": "x", "PATH": "x"}
    assert unknown(environ) == [
        "SHELFCAST_DATABSE_URL is set, but there is no such setting; is SHELFCAST_DATABASE_URL meant?"
    ]


def test_the_settings_never_show_a_password():
    settings = load(
        {"SHELFCAST_DATABASE_URL": "postgresql://u:secret@db/x", "SHELFCAST_REDIS_URL": "redis://:secret@r"}
    )
    assert "secret" not in repr(settings)


def test_a_data_folder_too_deep_for_a_socket_gets_a_short_one_of_its_own(tmp_path: Path):
    deep = [Settings(data_dir=tmp_path / (letter * 120)).redis_socket for letter in "aab"]
    assert deep[0] == deep[1] != deep[2]
    assert all(len(str(socket)) < 100 for socket in deep)


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "a" / "b")
    prepare(settings)
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="SHELFCAST_DATA_DIR"):
        prepare(Settings(data_dir=tmp_path / "file" / "data"))
