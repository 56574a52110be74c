"""This module owns the one place where errors become responses: RFC 9457 problems with a stable code.

Every error of our own packages carries a `code`; STATUS says what each means in HTTP. A client branches on the code and
translates it, with `fields` for the values in the sentence and `errors` where there are several findings. An error that
nobody foresaw is an `internal_error` with an id that leads to the log, and nothing else about it leaves the server.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from server.web import MSGPACK, reply

PROBLEM_JSON = "application/problem+json"
OUR_PACKAGES = {"timetable", "signaling", "recordings", "config", "server"}
NOT_LISTED = 400

STATUS: dict[str, int] = {
    # bodies
    "bad_body": 400,
    "malformed_body": 400,
    "invalid_body": 422,
    "unsupported_media_type": 415,
    "too_many_uploads": 429,
    # people
    "auth_error": 400,
    "not_signed_in": 401,
    "wrong_password": 401,
    "not_permitted": 403,
    "foreign_request": 403,
    "pairing_code_wrong": 404,
    "too_many_attempts": 429,
    # timetable
    "timetable_error": 400,
    "not_found": 404,
    "stale_version": 409,
    "not_allowed_now": 409,
    "build_failed": 409,
    "input_refused": 422,
    "outside_reach": 403,
    "draft_outdated": 409,
    "build_outdated": 409,
    "closing_refused": 422,
    "rollover_refused": 422,
    "membership_refused": 422,
    "search_running": 409,
    "search_stopped": 409,
    "fet_unreadable": 422,
    "export_refused": 422,
    "reason_missing": 422,
    "window_closed": 409,
    "wrong_side": 403,
    "amendment_refused": 422,
    "solver_stopped": 409,
    "cannot_repair": 422,
    "nothing_to_redo": 409,
    "redo_outdated": 409,
    "undo_outdated": 409,
    "nothing_to_undo": 409,
    "worker_stopped": 503,
    "feed_gone": 410,
    # live sessions
    "signaling_error": 400,
    "refused": 409,
    "session_not_found": 404,
    "session_not_open": 409,
    "session_over": 410,
    "not_in_lesson": 403,
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "token_used": 401,
    "unknown_subprotocol": 400,
    "draining": 503,
    "media_error": 400,
    "bad_offer": 400,
    "nothing_acceptable": 422,
    "ice_session_unnamed": 428,
    "ice_session_changed": 412,
    "unknown_resource": 404,
    "unknown_track": 404,
    "unknown_slot": 404,
    "photo_unreadable": 422,
    "camera_refused": 422,
    "too_many_accesses": 409,
    # recordings and reviews
    "recordings_error": 400,
    "journal_locked": 503,
    "journal_unwritable": 507,
    "malformed_payload": 400,
    "segment_unwritable": 507,
    "not_a_recording": 500,
    "unknown_participant": 404,
    "review_error": 400,
    "review_not_found": 404,
    "review_closed": 409,
    "not_yours_to_share": 403,
    "recording_withheld": 403,
    "version_conflict": 409,
    "conclusions_missing": 409,
    "not_involved": 403,
    "invalid_entry": 422,
    # lesson materials
    "material_error": 400,
    "material_not_found": 404,
    "material_wrong_type": 415,
    "material_too_large": 413,
    "material_too_many_pages": 422,
    "material_unreadable": 422,
    "material_encrypted": 422,
    "material_too_heavy": 422,
    "material_in_use": 409,
    "too_many_materials": 409,
    "material_unwritable": 507,
    # the server itself
    "bus_error": 503,
    "bus_unavailable": 503,
    "bus_overflow": 503,
    "bad_settings": 500,
    "cannot_listen": 500,
    "data_folder_taken": 500,
    "data_folder_unusable": 500,
    "schema_too_new": 500,
    "schema_outdated": 500,
    "migrations_broken": 500,
    "database_unusable": 500,
    "disk_full": 507,
}
CHALLENGES = {
    "token_invalid": 'Bearer realm="tongke", error="invalid_token"',
    "token_expired": 'Bearer realm="tongke", error="invalid_token", error_description="expired"',
    "token_missing": 'Bearer realm="tongke"',
}
"""What a program without a good token is told (RFC 6750, section 3)."""
DRAINING_SECONDS = "5"
"""By then a restarted server takes everybody in again."""
HTTP_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "body_too_large",
    414: "uri_too_long",
    416: "range_not_satisfiable",
    503: "unavailable",
}

log = structlog.get_logger()


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """RFC 9457 problem details; `code` is what a client branches on and translates."""

    status: int
    code: str
    detail: str = ""
    fields: dict[str, Any] = {}
    errors: list[Any] = []


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a problem."""
    if "\0" in request.path or "\0" in request.query_string:
        # no address of ours holds one, and PostgreSQL takes none
        return respond(request, Problem(400, "bad_request", "a NUL in the address"))
    try:
        return await handler(request)
    except (web.RequestPayloadError, HttpProcessingError) as error:
        return respond(request, Problem(400, "bad_request", f"the body cannot be read: {type(error).__name__}"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(request, error)
    except Exception as error:
        if (code := code_of(error)) is None:
            return _unforeseen(request, error)
        status = STATUS.get(code, NOT_LISTED)
        if status >= 500:
            log.error("request_failed", code=code, error=str(error), route=route_of(request))
            response = respond(request, Problem(status, code))
            if code == "draining":
                response.headers["Retry-After"] = DRAINING_SECONDS
            return response
        response = respond(request, Problem(status, code, str(error), *_particulars(error)))
        if code in CHALLENGES:
            response.headers["WWW-Authenticate"] = CHALLENGES[code]
        if status == 429:
            response.headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after", 1)))
        return response


def respond(request: web.BaseRequest, problem: Problem) -> web.Response:
    """The response that carries `problem`."""
    response = reply(request, problem, problem.status)
    if response.content_type != MSGPACK:
        response.content_type = PROBLEM_JSON
    return response


def code_of(error: BaseException) -> str | None:
    """The stable code of an error that one of our packages raised on purpose, otherwise None."""
    code = getattr(type(error), "code", None)
    ours = type(error).__module__.partition(".")[0] in OUR_PACKAGES
    return code if ours and isinstance(code, str) else None


def route_of(request: web.Request) -> str:
    """The route's pattern: unlike the path it holds no identity and no secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _particulars(error: Exception) -> tuple[dict[str, Any], list[Any]]:
    """The typed fields of an error: single values apart from its one list of findings."""
    fields: dict[str, Any] = {}
    errors: list[Any] = []
    for name, value in vars(error).items():
        if name.startswith("_"):
            continue
        if isinstance(value, Sequence) and not isinstance(value, str):
            errors.extend(value)
        else:
            fields[name] = value
    return fields, errors


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    code = HTTP_CODES.get(error.status, "http_error")
    response = respond(request, Problem(error.status, code, error.reason or ""))
    for name in ("Allow", "Content-Range", "Retry-After", "WWW-Authenticate"):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _unforeseen(request: web.Request, error: Exception) -> web.Response:
    incident = secrets.token_hex(4)
    log.error("internal_error", incident=incident, method=request.method, route=route_of(request), exc_info=error)
    return respond(request, Problem(500, "internal_error", fields={"incident": incident}))
