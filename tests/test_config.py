"""Whoever hosts connectcard is told every setting that is missing or odd, by name, at once."""

import base64

import pytest

from connectcard.config import Config, is_loopback
from connectcard.errors import ConfigError

KEY = base64.b64encode(b"k" * 32).decode()
GOOD = {
    "DATABASE_URL": "postgresql://app:secret@db.example.org/connectcard",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "s" * 40,
    "ENCRYPTION_KEYS": f"{KEY}, {base64.b64encode(b'o' * 32).decode()}",
    "PCO_CLIENT_ID": "the-client-id",
    "PCO_CLIENT_SECRET": "the-client-secret",
    "PUBLIC_URL": "https://cards.example.org/",
}


def test_a_good_environment_is_read_whole() -> None:
    config = Config.from_environment(GOOD)
    assert config.database_url == "postgresql+psycopg://app:secret@db.example.org/connectcard"
    assert config.encryption_keys == (b"k" * 32, b"o" * 32)
    assert (config.public_url, config.secure, config.testing) == ("https://cards.example.org", True, False)
    assert config.pco_base_url == "https://api.planningcenteronline.com"
    assert (config.waits.settle.total_seconds(), config.waits.second_try.total_seconds()) == (120, 900)


def test_an_empty_environment_names_every_setting_at_once() -> None:
    with pytest.raises(ConfigError) as complaint:
        Config.from_environment({})
    named = {line.split()[0] for line in str(complaint.value).splitlines()[1:]}
    assert named == {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "PUBLIC_URL", "PCO_CLIENT_ID"}


ODD = [
    ("DATABASE_URL", "mysql://db/connectcard"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "postgresql://grace:word@127.0.0.1:port/cards"),
    ("REDIS_URL", "http://127.0.0.1:6379"),
    ("REDIS_URL", "redis://127.0.0.1:port/0"),
    ("REDIS_URL", "redis://127.0.0.1:99999/0"),
    ("SECRET_KEY", "too short"),
    ("ENCRYPTION_KEYS", base64.b64encode(b"short").decode()),
    ("ENCRYPTION_KEYS", "not base64 at all!"),
    ("ENCRYPTION_KEYS", f"{KEY},{base64.b64encode(b'short').decode()}"),
    ("ENCRYPTION_KEYS", ","),
    ("PUBLIC_URL", "http://cards.example.org"),
    ("PUBLIC_URL", "cards.example.org"),
    ("PUBLIC_URL", "https://cards.example.org/path"),
    ("PUBLIC_URL", "https://cards.example.org/?church=1"),
    ("PUBLIC_URL", "javascript:alert(1)"),
    ("PUBLIC_URL", "https://cards.example.org:99999"),
    ("PCO_BASE_URL", "https://["),
    ("PCO_BASE_URL", "ftp://127.0.0.1"),
    ("PCO_BASE_URL", "http://api.planningcenteronline.com"),
    ("PCO_CLIENT_ID", ""),
    ("PCO_CLIENT_SECRET", ""),
    ("PCO_SECRET", "half a token"),
    ("PCO_APP_ID", "half a token"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "many"),
    ("TRUSTED_PROXIES", "11"),
    ("SYNC_WAITS", "9,6,12"),
    ("SYNC_WAITS", "9,6"),
]


@pytest.mark.parametrize(("name", "value"), ODD, ids=[f"{name}={value[:24]}" for name, value in ODD])
def test_an_odd_setting_stops_the_start_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?m)^  (?:PCO_\w+|{name}) is (odd|missing); it should be ") as complaint:
        Config.from_environment(GOOD | {name: value})
    assert len(str(complaint.value).splitlines()) == 2


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_setting_stops_the_start_with_its_name(name: str) -> None:
    without = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(ConfigError, match=rf"{name} is missing; it should be "):
        Config.from_environment(without)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value in ODD if "URL" not in name and len(value) > 8])
def test_a_complaint_never_repeats_what_was_set(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as complaint:
        Config.from_environment(GOOD | {name: value})
    assert value not in str(complaint.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.1"])
def test_on_this_very_machine_plain_http_and_short_waits_are_fine(host: str) -> None:
    here = {"PUBLIC_URL": f"http://{host}:5000", "PCO_BASE_URL": f"http://{host}:7000", "SYNC_WAITS": "0.9,0.6,1.2,1,3"}
    config = Config.from_environment(GOOD | here)
    assert config.waits.second_try.total_seconds() == 3
    assert (config.secure, config.waits.lease.total_seconds(), config.waits.settle.total_seconds()) == (False, 0.9, 1.2)


@pytest.mark.parametrize("waits", ["0,0,0", "-1,6,12", "nan,6,12", "inf,6,12", "1,6,12", "9,6,-1", "9,6,12,15,0", "9,6,12,15,60,1"])
def test_waits_that_make_no_sense_are_refused(waits: str) -> None:
    with pytest.raises(ConfigError, match="SYNC_WAITS is odd"):
        Config.from_environment(GOOD | {"PCO_BASE_URL": "http://127.0.0.1:7000", "SYNC_WAITS": waits})


@pytest.mark.parametrize(
    "url", ["http://localhost.example.org", "http://127.0.0.1.example.org", "http://128.0.0.1", "http://127.0.0.1@example.org", "x"]
)
def test_what_only_looks_like_this_machine_is_not(url: str) -> None:
    assert not is_loopback(url)


def test_a_personal_access_token_stands_in_for_the_oauth_application() -> None:
    without_client = {key: value for key, value in GOOD.items() if not key.startswith("PCO_")}
    config = Config.from_environment(without_client | {"PCO_APP_ID": "app", "PCO_SECRET": "secret"})
    assert (config.personal_access_token, config.pco_client_id) == (("app", "secret"), "")


def test_settings_are_not_shown_where_they_are_printed() -> None:
    shown = repr(Config.from_environment(GOOD | {"PCO_APP_ID": "app", "PCO_SECRET": "pat-secret"}))
    for secret in ("the-client-secret", "s" * 40, "kkkk", "pat-secret", "app:secret"):
        assert secret not in shown
