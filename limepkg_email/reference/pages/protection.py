"""The headers that keep a page from running, loading or being shown by anything but ourselves."""

from __future__ import annotations

import secrets

from flask import Response, g

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:"
    " blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def csp_nonce() -> str:
    """Give the request's nonce, by which the web components may bring a style of their own."""
    if "crm_csp_nonce" not in g:
        g.crm_csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.crm_csp_nonce
    return nonce


def protect(response: Response) -> Response:
    """Add the headers to a response that does not have its own."""
    headers = response.headers
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = _POLICY.format(nonce=csp_nonce())
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if response.mimetype == "text/html":
        # What a signed-in user saw is not for whoever presses Back after the sign-out.
        headers.setdefault("Cache-Control", "no-store")
    return response
