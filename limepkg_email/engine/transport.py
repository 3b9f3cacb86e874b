"""HTTP to EmailEngine: one connection pool per thread, what may be repeated, and what errors mean.

Which calls there are is in `client`.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from limepkg_email.engine.reading import items, mapping, text
from limepkg_email.errors import (
    ConfigurationError,
    EngineAuth,
    EngineBusy,
    EngineError,
    EngineNotFound,
    EngineRejected,
    EngineUnavailable,
)

DEFAULT_DELAY = 30.0
LONGEST_DELAY = 3600.0
_UNDECODABLE_ID = "ERR_BUFFER_OUT_OF_BOUNDS"
_UNAVAILABLE_STATUS = frozenset({408, 502, 503, 504})
_UNAVAILABLE_CODES = frozenset(
    {
        "AuthenticationFails",
        "ConnectionError",
        "NotSyncing",
        "NotYetConnected",
        "Timeout",
        "WorkerNotAvailable",
    }
)


class Transport:
    """Sends requests to one EmailEngine and turns its refusals into the errors of the package.

    May be used by several threads at once: each has its own `requests.Session`, since a session
    makes no promise about threads, and keeps its connection open between requests. A forked process
    starts with sessions of its own.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: tuple[float, float],
        retries: int,
        session_factory: Callable[[], requests.Session],
    ) -> None:
        self.url = _checked_url(url)
        self._token = _checked_token(token)
        self._timeout = timeout
        self._retries = retries
        self._session_factory = session_factory
        self._local = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections; using the transport again opens new ones."""
        with self._lock:
            sessions = list(self._sessions)
            self._sessions.clear()
            self._local = threading.local()
        for session in sessions:
            session.close()

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        repeat: bool | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> Mapping[str, Any]:
        """Return the JSON object that a call answers; see `open` for what else can happen."""
        with self.open(
            method, path, query=query, body=body, repeat=repeat, headers=headers
        ) as response:
            try:
                found = json.loads(response.content)
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                # A proxy's or another program's page, for EmailEngine answers with an object.
                raise EngineUnavailable(
                    f"What answers at {self.where} is not EmailEngine: no JSON came back.",
                    request=f"{method} {path}",
                    engine_status=response.status_code,
                )
            return found

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        repeat: bool | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        stream: bool = False,
    ) -> Iterator[requests.Response]:
        """Send one request and give its successful answer, to be read within the `with` block.

        `repeat` says whether doing the call twice does no harm, so that it may be sent again when
        the connection broke or the answer was 502, 503 or 504; GET is such a call by itself. A
        request that never reached EmailEngine is sent again in any case.

        Raises `EngineUnavailable`, `EngineBusy`, `EngineAuth`, `EngineNotFound`, `EngineRejected`
        and, for anything else, `EngineError`; none of them ever contains the token.
        """
        request = f"{method} {path}"
        session, adapter = self._connection()
        # The method alone does not tell: a search may be repeated, a move may not.
        adapter.max_retries = self._policy(method == "GET" if repeat is None else repeat)
        try:
            with session.request(
                method,
                self.url + path + _query(query),
                json=body,
                headers=headers,
                auth=_Bearer(self._token),
                timeout=self._timeout,
                allow_redirects=False,
                stream=stream,
            ) as response:
                if not 200 <= response.status_code < 300:
                    raise self._refusal(request, response)
                yield response
        except (requests.ConnectionError, requests.Timeout) as error:
            raise self._unreachable(request, error) from error
        except (ChunkedEncodingError, ContentDecodingError) as error:
            raise EngineUnavailable(
                f"The answer of {self.where} broke off.", request=request
            ) from error
        except requests.RequestException as error:  # such as NaN in a body
            raise EngineError(
                f"The request cannot be made ({type(error).__name__}).", request=request
            ) from error

    @property
    def where(self) -> str:
        """The address without a password that may be in it, for messages."""
        parts = urlsplit(self.url)
        return f"EmailEngine at {parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def _connection(self) -> tuple[requests.Session, HTTPAdapter]:
        local = self._local
        if getattr(local, "process", None) != os.getpid():
            session = self._session_factory()
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=2)
            session.mount(self.url, adapter)
            with self._lock:
                self._sessions.add(session)
            local.connection, local.process = (session, adapter), os.getpid()
        found: tuple[requests.Session, HTTPAdapter] = local.connection
        return found

    def _policy(self, repeat: bool) -> Retry:
        # At most one repetition after a time-out: each costs the caller the whole time-out again.
        # `connect` counts requests that never arrived; those are repeated in any case.
        return Retry(
            total=self._retries,
            connect=self._retries,
            read=min(1, self._retries) if repeat else False,
            status=self._retries,
            other=0,
            redirect=0,
            allowed_methods=None,  # every method: the caller has decided
            status_forcelist=(502, 503, 504) if repeat else (),
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,  # a request must not sleep; EngineBusy tells when
        )

    def _unreachable(self, request: str, error: Exception) -> EngineUnavailable:
        connect, read = self._timeout
        causes = list(_causes(error))
        if isinstance(error, requests.ConnectTimeout):
            reason = f"cannot be reached within {connect:g} s"
        elif any(isinstance(cause, requests.ReadTimeout | ReadTimeoutError) for cause in causes):
            reason = f"did not answer within {read:g} s"
        else:
            words = [text(getattr(cause, "strerror", None)) for cause in causes]
            # The innermost is the operating system's: "Connection refused".
            why = next((word for word in reversed(words) if word), type(causes[-1]).__name__)
            reason = f"cannot be reached ({why})"
        return EngineUnavailable(f"{self.where} {reason}.", request=request)

    def _refusal(self, request: str, response: requests.Response) -> EngineError:
        status = response.status_code
        try:
            body = mapping(json.loads(response.content))
        except (ValueError, RecursionError):
            body = {}
        code, errors = text(body.get("code")), self._errors(body)
        message = self._message(status, body, errors)
        context: dict[str, Any] = {
            "request": request,
            "engine_status": status,
            "engine_code": code,
        }
        if status == 429:
            return EngineBusy(message, delay=_delay(body, response.headers), **context)
        if status in (401, 403):
            return EngineAuth(message, **context)
        if status in _UNAVAILABLE_STATUS or (status >= 500 and code in _UNAVAILABLE_CODES):
            return EngineUnavailable(message, **context)
        # A 404 that EmailEngine's API did not write is about the URL, not about account or mail:
        # taken for "not found", a wrong `emailengine_url` would look like deleted accounts.
        ours = "statusCode" in body
        if (status == 404 and ours) or (status == 500 and code == _UNDECODABLE_ID):
            return EngineNotFound(message, **context)
        if 400 <= status < 500 and ours:
            return EngineRejected(message, errors=errors, **context)
        failure = EngineError(message, **context)
        # A 500 can pass (Redis away for a moment), and giving up at once would lose a mail; the
        # runner bounds the attempts. It is not EngineUnavailable, because one mail that EmailEngine
        # cannot digest must not look like an outage. Redirects and foreign pages do not pass.
        failure.retryable = status >= 500
        return failure

    def _message(
        self, status: int, body: Mapping[str, Any], errors: Mapping[str, list[str]]
    ) -> str:
        if "statusCode" not in body:
            return f"{self.where} answered {status} without saying why; is the URL right?"
        said = text(body.get("message")) or text(body.get("error")) or "no reason given"
        details = "; ".join(sentence for sentences in errors.values() for sentence in sentences)
        marks = ", ".join(
            str(mark) for mark in (status, text(body.get("code")), text(body.get("state"))) if mark
        )
        return f"EmailEngine: {self._masked(said)}{': ' + details if details else ''} ({marks})"

    def _errors(self, body: Mapping[str, Any]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        for entry in map(mapping, items(body.get("fields"))):
            sentence = self._masked(text(entry.get("message")))
            errors.setdefault(text(entry.get("key")), []).append(sentence)
        return errors

    def _masked(self, sentence: str) -> str:
        # What EmailEngine quotes is its own choice; what is repeated is ours.
        return sentence.replace(self._token, "***")


def segment(value: str) -> str:
    """Return an id quoted for use as one segment of a path.

    Raises `EngineNotFound` for what cannot be an id: an empty segment or a dot segment would
    address another resource (RFC 3986, section 5.2.4).
    """
    if value in ("", ".", ".."):
        raise EngineNotFound(f"EmailEngine has no id {value!r}.")
    return quote(value, safe="", errors="surrogatepass")


class _Bearer(AuthBase):
    """Sets the token late, so that no `.netrc` entry for the host replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("emailengine_url must be an http or https URL.")
    if parts.query or parts.fragment:
        raise ConfigurationError("emailengine_url must not have a query or a fragment.")
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    # Checked here because the errors of the layers below would quote the header, token included.
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError("emailengine_token is empty or has characters no token has.")
    return token


def _query(query: Mapping[str, object] | None) -> str:
    if not query:
        return ""
    pairs = {
        name: {True: "true", False: "false"}[value] if isinstance(value, bool) else value
        for name, value in query.items()
        if value is not None
    }
    return "?" + urlencode(pairs, quote_via=quote, safe="", errors="surrogatepass")


def _causes(error: BaseException) -> Iterator[BaseException]:
    # requests and urllib3 keep the reason in args, in `reason` or in the chain, as they please.
    cause: object = error
    for _ in range(10):
        if not isinstance(cause, BaseException):
            return
        yield cause
        inner = [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]
        cause = next((item for item in inner if isinstance(item, BaseException)), None)


def _delay(body: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    given = (body.get("ttl"), headers.get("X-RateLimit-Reset"), headers.get("Retry-After"))
    for value in given:
        try:
            seconds = float(value)  # type: ignore[arg-type]  # None is answered below
        except (TypeError, ValueError, OverflowError):
            continue  # absent, or Retry-After as a date
        if seconds > 0:
            return min(max(seconds, 1.0), LONGEST_DELAY)
    return DEFAULT_DELAY
