"""What goes over the wire: bodies, error bodies and headers as they were recorded from Planning Center."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, render_template

DOCUMENT = "application/vnd.api+json; charset=utf-8"
ERROR = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"

STANDING_HEADERS = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, Origin, "
        "X-Requested-With, X-CSRF-Token, X-PCO-API-Version, X-PCO-API-Log-Level, X-PCO-API-Tracer-Class, X-PCO-API-Tracer-Secret"
    ),
    "Access-Control-Allow-Methods": "GET, POST, PATCH, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Link, X-PCO-API-Auth-Method, X-PCO-API-Request-Rate-Limit, X-PCO-API-Request-Rate-Count, X-PCO-API-Request-Rate-Period, "
        "Retry-After"
    ),
    "Referrer-Policy": "no-referrer-when-downgrade",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Vary": "Accept, Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Download-Options": "noopen",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "1; mode=block",
}


@dataclass
class Refusal(Exception):
    """An answer that is an error; whatever the request changed before it is undone."""

    status: int
    errors: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    page: str | None = None
    routed: bool = True

    def response(self) -> Response:
        if self.page:
            return html_page(self.page, self.status, self.headers)
        return Response(json.dumps({"errors": self.errors}, separators=(",", ":")), self.status, self.headers, content_type=ERROR)


def html_page(page: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(render_template(f"simulator/wire/{page}.html"), status, dict(headers or {}), content_type=HTML)


def document(body: Mapping[str, Any] | str, status: int = 200) -> Response:
    """`body` may be JSON already."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, status, content_type=DOCUMENT)
    response.headers["Cache-Control"] = "max-age=0, private, must-revalidate"
    response.headers["ETag"] = f'W/"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"'
    return response


def plain_json(body: object, status: int = 200) -> Response:
    """What the OAuth and the control paths answer."""
    return Response(json.dumps(body, ensure_ascii=False), status, {"Cache-Control": "no-store"}, content_type=ERROR)


def no_content() -> Response:
    response = Response(status=204)
    response.headers.pop("Content-Type", None)
    return response


def bad_request(code: str, detail: str = "Your request could not be processed") -> Refusal:
    return Refusal(400, [{"status": "400", "title": "Bad Request", "code": code, "detail": detail}])


def missing_parameter(name: str) -> Refusal:
    error = {"status": "400", "title": "A required parameter wasn't supplied", "code": "missing_parameter"}
    return Refusal(400, [error | {"detail": f"The parameter {name} is missing", "meta": {"param": name}}])


def bad_version(asked: str) -> Refusal:
    error = {
        "status": "400",
        "title": "Invalid Version",
        "code": "unsupported_version_error",
        "detail": f"{asked} is not a supported version",
    }
    return Refusal(400, [error])


def unauthorized(hint: str) -> Refusal:
    detail = f"This request could not be authenticated. Error Code Hint: ({hint})"
    return Refusal(401, [{"code": "unauthorized", "title": "Unauthorized", "status": "401", "detail": detail}])


def outside_scope(scope: str) -> Refusal:
    """A token that was not given for this product; 403 until about 2020, 401 as measured in 2026."""
    detail = f"The API credentials do not have access to the application {scope}"
    return Refusal(401, [{"status": "401", "code": "bad_scope", "title": "Request outside authenticated scope", "detail": detail}])


def access_denied() -> Refusal:
    return Refusal(401, headers={"WWW-Authenticate": 'Basic realm="Application"'}, page="access_denied")


def forbidden(description: str) -> Refusal:
    error = {
        "status": "403",
        "title": "Forbidden",
        "detail": "You do not have access to this resource",
        "meta": {"description": description},
    }
    return Refusal(403, [error])


def not_found() -> Refusal:
    return Refusal(404, [{"status": "404", "title": "Not Found", "detail": "The resource you requested could not be found"}])


def not_routed() -> Refusal:
    """A verb that no address takes: a page of HTML, without any of Planning Center's own headers."""
    return Refusal(404, page="not_found", routed=False)


def no_such_address() -> Refusal:
    """An address that nothing answers: the gateway's own 404, which writes its period in words."""
    refusal = not_found()
    refusal.routed = False
    return refusal


def blocked() -> Refusal:
    return Refusal(403, page="blocked")


def cannot_be_assigned(names: list[str]) -> Refusal:
    return Refusal(422, [{"status": "422", "title": "Forbidden Attribute", "detail": f"{name} cannot be assigned"} for name in names])


def invalid(resource: str, parameter: str, detail: str = "can't be blank") -> Refusal:
    error = {
        "detail": detail,
        "status": "422",
        "title": "Validation Error",
        "source": {"parameter": parameter},
        "meta": {"resource": resource, "associated_resources": []},
    }
    return Refusal(422, [error])


def invalid_payload(parameter: str) -> Refusal:
    error = {"status": "422", "title": "Invalid Payload", "code": "invalid_payload", "detail": "Your request could not be processed"}
    return Refusal(422, [error | {"source": {"parameter": parameter}}])


def invalid_enum_value(parameter: str) -> Refusal:
    error = {"status": "422", "title": "Invalid Enum Value", "code": "invalid_enum_value", "detail": f"{parameter} is not a valid value"}
    return Refusal(422, [error | {"source": {"parameter": parameter}}])


def no_such_resource(attribute: str) -> Refusal:
    detail = f"Error setting {attribute}. The underlying resource couldn't be found."
    return Refusal(
        422, [{"status": "422", "title": "Attribute Resource Not Found", "code": "attribute_resource_not_found", "detail": detail}]
    )


def duplicate_record() -> Refusal:
    detail = "The record you are trying to create/update already exists"
    return Refusal(409, [{"status": "409", "title": "Duplicate Record", "detail": detail}])


def rate_limited(count: int, limit: int, period: int, retry_after: int) -> Refusal:
    detail = f"Rate limit exceeded: {count} of {limit} requests per {period} seconds"
    return Refusal(429, [{"code": "429", "title": "Too Many Requests", "detail": detail}], {"Retry-After": str(retry_after)})


def server_error() -> Refusal:
    detail = "An internal server error occurred on our end and we've been notified.  Please contact support if the issue persists."
    return Refusal(500, [{"status": "500", "title": "Internal Server Error", "detail": detail}])
