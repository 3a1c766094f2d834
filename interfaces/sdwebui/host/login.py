"""Checks of the host's own logins for our routes, too: ``--api-auth`` and ``--gradio-auth``."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....config.settings.values import load
from ...http.messages import Answer, HttpError

if TYPE_CHECKING:
    from starlette.requests import Request

_COOKIE = "access-token"
# A token of ours counts as the host's password: a request has room for only one of them.
_TOKENS = {"": "LLM_SERVICE_TOKEN", "v1/": "LLM_PROXY_TOKEN"}


class HostLogin:
    """Logins of the host.

    `api_auth` is what the host's command line has: ``user:password``, several with commas.
    """

    def __init__(self, app: Any, api_auth: str | None) -> None:
        self._app = app
        self._users = dict(_pair(pair) for pair in (api_auth or "").split(",") if ":" in pair)

    def refuses(self, request: Request) -> Answer | None:
        """Return the answer for a caller whom the host does not know, None for everybody else."""
        page_asks = self._page_asks()
        if not self._users and not page_asks:
            return None
        if self._has_password(request) or (page_asks and self._has_cookie(request)) or _has_token(request):
            return None
        hint = "Log in on its page first." if page_asks else "Send the user and password of --api-auth."
        error = HttpError(401, "login_needed", "This web UI requires a login.", hint)
        return replace(error.answer(), headers={"WWW-Authenticate": "Basic"} if self._users else {})

    def _page_asks(self) -> bool:
        return any(getattr(self._app, name, None) is not None for name in ("auth", "auth_dependency"))

    def _has_cookie(self, request: Request) -> bool:
        """Look for the cookie as gradio does, whose name depends on the version."""
        dependency = getattr(self._app, "auth_dependency", None)
        if dependency is not None:
            return dependency(request) is not None
        tokens = getattr(self._app, "tokens", {})
        return any(
            name.startswith(_COOKIE) and tokens.get(value) is not None
            for name, value in request.cookies.items()
        )

    def _has_password(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, password = _pair(base64.b64decode(encoded).decode())
        except (binascii.Error, ValueError):
            return False
        known = self._users.get(user)
        return known is not None and hmac.compare_digest(password.encode(), known.encode())


def _pair(text: str) -> tuple[str, str]:
    user, _, password = text.strip().partition(":")
    return user, password


def _has_token(request: Request) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    path, settings = request.path_params["path"], load()
    tokens = [settings.text(name) for below, name in _TOKENS.items() if path.startswith(below)]
    return scheme.lower() == "bearer" and any(
        token and hmac.compare_digest(given.strip().encode(errors="replace"), token.encode(errors="replace"))
        for token in tokens
    )
