"""Settings: three layers, strict names, and a documentation that cannot drift."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from config.settings import DEFAULTS, Settings, SettingsError, load

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    file = folder / "tongke.toml"
    file.write_text(text, "utf-8")
    return file


def test_defaults_need_no_file_and_resolve_the_embedded_services() -> None:
    settings = load(None, {})
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.database_url == "sqlite:///data/tongke.db"
    assert settings.recordings_dir == Path("data/recordings")
    assert settings.allowed_origins == {f"http://{name}:8080" for name in ("127.0.0.1", "localhost", "[::1]")}


def test_a_file_overrides_what_it_names_and_the_environment_overrides_both(tmp_path: Path) -> None:
    file = write(tmp_path, '[server]\nport = 9000\nhost = "10.0.0.1"\n[timetable]\nworkers = 4\n')
    settings = load(file, {"TONGKE_SERVER_PORT": "9001", "HOME": "/root", "TONGKE_REQUIRE_ALL": "1"})
    assert (settings.server.port, settings.server.host) == (9001, "10.0.0.1")
    assert (settings.timetable.workers, settings.timetable.solve_seconds) == (4, 600)


def test_the_environment_gives_lists_flags_and_secrets_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://tongke:secret@db/tongke\n")
    environ = {
        "TONGKE_DATABASE_URL_FILE": str(secret),
        "TONGKE_AUTH_ORIGINS": "https://a.example, https://b.example",
        "TONGKE_DEMO_ENABLED": "true",
        "TONGKE_SERVER_DATA_DIR": "/srv/tongke",
    }
    settings = load(None, environ)
    assert settings.database_url == "postgresql+psycopg://tongke:secret@db/tongke"
    assert settings.auth.origins == ["https://a.example", "https://b.example"]
    assert settings.demo.enabled
    assert settings.recordings_dir == Path("/srv/tongke/recordings")


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("[server]\nprot = 1\n", "server.prot", "there is no such setting; did you mean server.port?"),
        ("[colour]\nblue = 1\n", "colour.blue", "there is no such setting"),
        ("port = 1\n", "port", "every setting belongs to a [section]"),
        ('[server]\nport = "80"\n', "server.port", "Expected `int`, got `str`"),
        ("[server]\nport = 70000\n", "server.port", "Expected `int` <= 65535"),
        ('[server]\npublic_url = "tongke.example"\n', "server.public_url", None),
        ("[server]\ndata_dir = 1\n", "server.data_dir", None),
        ('[database]\nurl = "mysql://x"\n', "database.url", None),
        ('[bus]\nredis_url = "http://x"\n', "bus.redis_url", None),
        ('[server]\nhost = "0.0.0.0"\n[demo]\nenabled = true\n', "demo.enabled", None),
        ('[auth]\norigins = ["*"]\n', "auth.origins", None),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, key: str, reason: str | None) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as refusal:
        load(file, {})
    assert (refusal.value.source, refusal.value.key) == (str(file), key)
    assert reason is None or refusal.value.reason == reason


@pytest.mark.parametrize("variable", ["TONGKE_SERVER_PROT", "TONGKE_SERVER_PORT"])
def test_a_wrong_environment_variable_is_named(variable: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(None, {variable: "many"})
    assert refusal.value.source == variable


@pytest.mark.parametrize("text", ["[server", None])
def test_an_unreadable_file_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "absent.toml" if text is None else write(tmp_path, text)
    with pytest.raises(SettingsError, match=re.escape(str(file))):
        load(file, {})


def test_the_default_file_names_every_setting() -> None:
    in_code = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(section.type)
    }
    assert in_code == set(defaults())


def test_settings_are_documented_with_their_defaults() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| `([^`]*)` \|", text, re.MULTILINE)
    assert {key: tomllib.loads(f"v = {value}")["v"] for key, value in rows} == defaults()
    assert len(rows) == len(defaults())


def defaults() -> dict[str, object]:
    tree = tomllib.loads(DEFAULTS.read_text("utf-8"))
    return {f"{section}.{name}": value for section, values in tree.items() for name, value in values.items()}


def test_relay_needs_a_secret_from_wherever(tmp_path: Path) -> None:
    urls = {"TONGKE_TURN_URLS": "turn:t.test,stun:s.test"}
    for environ, key in (
        (urls, "turn.secret"),
        (urls | {"TONGKE_TURN_SECRET": "short"}, "turn.secret"),
        ({"TONGKE_TURN_URLS": "http://t.test"}, "turn.urls"),
    ):
        with pytest.raises(SettingsError) as bad:
            load(None, environ)
        assert bad.value.key == key
    (tmp_path / "secret").write_text("s" * 24 + "\n")
    turn = load(None, urls | {"TONGKE_TURN_SECRET_FILE": str(tmp_path / "secret")}).turn
    assert (turn.urls, turn.secret) == (["turn:t.test", "stun:s.test"], "s" * 24)
    assert load(None, {"TONGKE_TURN_URLS": "stun:s.test"}).turn.secret == ""
