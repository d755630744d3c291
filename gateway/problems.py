"""The errors that the gateway itself answers, in the shape of RFC 9457, as nginx locations."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """An error that nginx makes: on `codes` it answers `status`; `retry_after` in seconds, 0 for none."""

    codes: str
    status: int
    type: str
    title: str
    detail: str
    retry_after: int = 0


PROBLEMS = (
    Problem("400", 400, "bad-request", "Bad request", "The request could not be understood."),
    Problem("403 405", 405, "method-not-allowed", "Method not allowed", "This method is not offered here."),
    Problem("404", 404, "not-found", "Not found", "There is nothing at this address."),
    Problem("408", 408, "request-timeout", "Request timeout", "The request took too long to arrive."),
    Problem("413", 413, "payload-too-large", "Payload too large", "The body is too large for this address."),
    Problem("414", 414, "uri-too-long", "URI too long", "The address is too long."),
    Problem("429", 429, "too-many-requests", "Too many requests", "Too many attempts; wait a little.", 2),
    Problem("494", 431, "headers-too-large", "Headers too large", "A request header is too large."),
    Problem("500 502", 502, "bad-gateway", "Bad gateway", "The service gives no answer just now.", 2),
    Problem("503", 503, "unavailable", "Service unavailable", "The service is not available just now.", 2),
    Problem("504", 504, "gateway-timeout", "Gateway timeout", "The service took too long to answer.", 2),
)

HEADERS = (
    'Cache-Control "no-store"',
    'X-Content-Type-Options "nosniff"',
    "Content-Security-Policy \"default-src 'none'; frame-ancestors 'none'\"",
    'Referrer-Policy "no-referrer"',
)


def _location(problem: Problem, common: str) -> str:
    headers = [*HEADERS, *([f'Retry-After "{problem.retry_after}"'] if problem.retry_after else [])]
    lines = "\n            ".join([common, *(f"add_header {header} always;" for header in headers)])
    body = (
        f'{{"type":"{problem.type}","title":"{problem.title}","status":{problem.status},'
        f'"detail":"{problem.detail}","request_id":"$rid"}}'
    )
    return (
        f"        location = /.problem/{problem.status} {{\n            internal;\n"
        f"            default_type application/problem+json;\n"
        # Else nginx may find the body too large again on its way here, and answers in HTML.
        f"            client_max_body_size 0;\n            {lines}\n"
        f"            return {problem.status} '{body}';\n        }}"
    )


def nginx_locations(common: str) -> str:
    """Return the `error_page` lines of a server and their locations, with `common` headers."""
    pages = [
        f"        error_page {problem.codes} ={problem.status} /.problem/{problem.status};"
        for problem in PROBLEMS
    ]
    return "\n".join([*pages, *(_location(problem, common) for problem in PROBLEMS)])
