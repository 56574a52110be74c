"""This module owns the log: one JSON object a line on standard error, with secrets taken out before they get there."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from server.errors import route_of

GONE = "[scrubbed]"
SECRET_NAMES = re.compile(
    r"authorization|cookie|passw|passphrase|secret|token|credential|api_?key|private_?key|pairing_?code|sdp",
    re.IGNORECASE,
)
SECRET_VALUES = [
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {GONE}"),
    (re.compile(r"(?i)\b(cookie|authorization)(['\"]?\s*[:=]\s*['\"]?)[^'\"\n]+"), rf"\1\2{GONE}"),
    (re.compile(r"(?i)\b(password|passwd|token|secret)(['\"]?\s*[:=]\s*['\"]?)[^\s'\"&,;)}]+"), rf"\1\2{GONE}"),
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), rf"\1{GONE}@"),
    (re.compile(r"\$argon2\w*\$[\w$+/=,.-]+"), GONE),
    # secret addresses and tokens are 32 random bytes or more in base64url; ids are shorter
    (re.compile(r"[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]+)*"), GONE),
]


def scrub(value: Any) -> Any:
    """The same value with every secret replaced, through mappings and sequences."""
    if isinstance(value, str):
        for pattern, replacement in SECRET_VALUES:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {key: GONE if _is_secret(key) else scrub(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(inner) for inner in value]
    return value


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send our own log and that of every library to `stream` (standard error) in the one format."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("aiohttp.server").addFilter(tell_malformed_shortly)


def tell_malformed_shortly(record: logging.LogRecord) -> bool:
    """A filter of the web server's logger: bytes that are no HTTP are the sender's fault and not worth a traceback,
    with which anybody could fill the disk."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args = "malformed_request: %s", (type(error).__name__,)
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
    return True


class AccessLog(AbstractAccessLogger):
    """One line a request, with the route's pattern instead of the path, which may hold a secret."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        structlog.get_logger("access").info(
            "request",
            method=request.method,
            route=route_of(request) if isinstance(request, web.Request) else "unreadable",
            status=response.status,
            seconds=round(time, 4),
            bytes=response.body_length,
        )


def _scrub_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = GONE if _is_secret(key) else scrub(value)
    return event


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and SECRET_NAMES.search(name) is not None
