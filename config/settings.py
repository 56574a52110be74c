"""This module owns the settings: what they are, where they come from, and what is wrong with a bad one.

Three layers, each over the one before: `default.toml`, the file given with `--config`, the environment. In the
environment `TONGKE_<SECTION>_<KEY>` carries a value and `TONGKE_<SECTION>_<KEY>_FILE` the path of a file that holds
it, which is the way for secrets. A name that does not exist is an error, never ignored: a typing mistake in a setting
must not leave a default in force unseen.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

DEFAULTS = Path(__file__).with_name("default.toml")
PREFIX = "TONGKE_"
FROM_FILE = "_FILE"
SHORTEST_SECRET = 16

Port = Annotated[int, Meta(ge=0, le=65535)]
Tree = dict[str, dict[str, Any]]


class SettingsError(Exception):
    """A setting is unknown or wrong. `source` is the file or the environment variable, `key` is `section.name`."""

    code = "bad_settings"

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f"{source}: {key}: {reason}" if key else f"{source}: {reason}")
        self.source = source
        self.key = key
        self.reason = reason


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens and keeps its data."""

    host: str
    port: Port
    public_url: str
    data_dir: Path

    def __post_init__(self) -> None:
        if self.public_url and not _is_base_url(self.public_url):
            raise ValueError("public_url must look like https://tongke.example.cn, without a path")


class DatabaseSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The record; an empty address is a SQLite file in the data folder."""

    url: str

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("url must begin with sqlite:/// or postgresql+psycopg://")


class BusSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The bus between processes; an empty address is one process alone."""

    redis_url: str

    def __post_init__(self) -> None:
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("redis_url must begin with redis://, rediss:// or unix://")


class MediaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The one UDP port of all live media, and the same over TCP for networks that block UDP."""

    host: str
    port: Port
    public: str
    tcp_port: Annotated[int, Meta(ge=-1, le=65535)]

    def __post_init__(self) -> None:
        for address in self.public_addresses:
            ip_address(address[0])

    @property
    def public_addresses(self) -> tuple[tuple[str, int], ...]:
        """The addresses that classrooms are told, of `public`: IP or IP:port, with commas between; the port is ours
        where none is given."""
        return tuple(_address(part.strip(), self.port) for part in self.public.split(",") if part.strip())


class TurnSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The TURN relay for networks that let neither of the media ports through."""

    urls: list[str]
    secret: str
    seconds: Annotated[int, Meta(ge=60)]

    def __post_init__(self) -> None:
        for url in self.urls:
            if not url.startswith(("turn:", "turns:", "stun:", "stuns:")):
                raise ValueError(f"urls: {url!r} must look like turn:turn.example.cn:3478?transport=udp")


class CameraSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The networks in which classrooms' cameras stand."""

    networks: list[str]

    def __post_init__(self) -> None:
        for network in self.networks:
            ip_network(network)


class RecordingsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where recordings are kept, and for how long."""

    dir: str
    retention_days: Annotated[int, Meta(ge=1)]


class MaterialsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where lesson materials are kept, and what one upload may weigh."""

    dir: str
    upload_mb: Annotated[int, Meta(ge=1, le=1024)]
    pages: Annotated[int, Meta(ge=1, le=1000)]


class UploadsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many files the server takes in at a time: large ones, and photos of pupils' work."""

    at_once: Annotated[int, Meta(ge=1)]
    photos_at_once: Annotated[int, Meta(ge=1)]


class AuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Sign-in, and which pages of other origins may open a WebSocket."""

    session_hours: Annotated[int, Meta(ge=1)]
    origins: list[str]
    trusted_proxies: list[str]

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            ip_network(proxy)
        for origin in self.origins:
            if not _is_base_url(origin):
                raise ValueError(f"origins: {origin!r} must look like https://tongke.example.cn, without a path")


class TimetableSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a build of the table may search, on how many cores, and how long one that a killed server left waits."""

    solve_seconds: Annotated[float, Meta(gt=0)]
    workers: Annotated[int, Meta(ge=0)]
    interrupted_days: Annotated[int, Meta(ge=1)]


class DemoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether this is the demo county: links that sign in, on the loopback only."""

    enabled: bool


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of one server process."""

    server: ServerSettings
    database: DatabaseSettings
    bus: BusSettings
    media: MediaSettings
    turn: TurnSettings
    cameras: CameraSettings
    recordings: RecordingsSettings
    materials: MaterialsSettings
    uploads: UploadsSettings
    auth: AuthSettings
    timetable: TimetableSettings
    demo: DemoSettings

    def __post_init__(self) -> None:
        if self.demo.enabled and not _is_loopback(self.server.host):
            raise ValueError("demo.enabled: the demo's links sign anyone in, so server.host must be a loopback address")
        if any(url.startswith("turn") for url in self.turn.urls) and len(self.turn.secret) < SHORTEST_SECRET:
            raise ValueError(f"turn.secret: a relay needs one, of at least {SHORTEST_SECRET} characters")

    @property
    def public_url(self) -> str:
        """The address that links are built from, without a slash at its end."""
        if self.server.public_url:
            return self.server.public_url.rstrip("/")
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return f"http://{host}:{self.server.port}"

    @property
    def database_url(self) -> str:
        """The address of the database, the embedded one resolved."""
        return self.database.url or f"sqlite:///{self.server.data_dir / 'tongke.db'}"

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite database; None for PostgreSQL."""
        scheme, _, path = self.database_url.partition(":///")
        return Path(path.partition("?")[0]) if scheme == "sqlite" else None

    @property
    def recordings_dir(self) -> Path:
        """The folder of the recordings, the default resolved."""
        return Path(self.recordings.dir) if self.recordings.dir else self.server.data_dir / "recordings"

    @property
    def materials_dir(self) -> Path:
        """The folder of the lesson materials, the default resolved."""
        return Path(self.materials.dir) if self.materials.dir else self.server.data_dir / "materials"

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins that may open a WebSocket: our own (every name of the loopback), those listed."""
        own = [self.public_url]
        if _is_loopback(self.server.host):
            own += [f"http://{name}:{self.server.port}" for name in ("127.0.0.1", "localhost", "[::1]")]
        return frozenset([*own, *(origin.rstrip("/") for origin in self.auth.origins)])


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings from all three layers, or raise SettingsError naming the source and the key."""
    tree = _read(DEFAULTS)
    if file is not None:
        for section, values in _read(file).items():
            for name, value in values.items():
                _put(tree, section, name, value, str(file), strict=True)
    for variable in sorted(environ):
        if place := _place(variable, tree):
            section, name, is_file = place
            _put(tree, section, name, _value(environ, variable, is_file), variable, strict=False)
    try:
        return msgspec.convert(tree, Settings, dec_hook=_decode)
    except msgspec.ValidationError as error:
        key, _, reason = str(error).partition(": ")
        raise SettingsError(str(file) if file else "environment", key, reason) from error


def _read(file: Path) -> Tree:
    try:
        tree = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(str(file), "", f"cannot be read: {error}") from error
    for section, values in tree.items():
        if not isinstance(values, dict):
            raise SettingsError(str(file), section, "every setting belongs to a [section]")
    return tree


def _put(tree: Tree, section: str, name: str, value: Any, source: str, *, strict: bool) -> None:
    """Set one value, checking that it exists and fits; text from the environment is read as the setting's type."""
    key = f"{section}.{name}"
    known = [f"{section}.{name}" for section, values in tree.items() for name in values]
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        raise SettingsError(source, key, "there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    field = next(field for field in msgspec.structs.fields(Settings) if field.name == section)
    if not strict and isinstance(tree[section][name], list):
        value = [part.strip() for part in value.split(",") if part.strip()]
    candidate = {**tree[section], name: value}
    try:
        section_settings = msgspec.convert(candidate, field.type, strict=strict, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(source, key, str(error).split(" - at `$")[0]) from error
    tree[section][name] = getattr(section_settings, name)


def _place(variable: str, tree: Tree) -> tuple[str, str, bool] | None:
    """The section and name that an environment variable speaks of, and whether it names a file that holds the value."""
    if not variable.startswith(PREFIX):
        return None
    words = variable.removeprefix(PREFIX).lower()
    section = next((section for section in tree if words.startswith(f"{section}_")), None)
    if section is None:
        return None
    name = words.removeprefix(f"{section}_")
    suffix = FROM_FILE.lower()
    is_file = name not in tree[section] and name.endswith(suffix)
    return section, name.removesuffix(suffix) if is_file else name, is_file


def _value(environ: Mapping[str, str], variable: str, is_file: bool) -> str:
    if not is_file:
        return environ[variable]
    try:
        return Path(environ[variable]).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(variable, "", f"cannot be read: {error}") from error


def _decode(kind: type, value: Any) -> Any:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(text: str, port: int) -> tuple[str, int]:
    host, colon, own_port = text.rpartition(":")
    if text.count(":") == 1 or text.startswith("["):
        return host.strip("[]"), int(own_port) if colon and own_port.isdecimal() else port
    return text, port


def _is_base_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.path in {"", "/"} and not parts.query
