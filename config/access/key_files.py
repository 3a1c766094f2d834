"""Files with keys in them: a service account of Google's, a private key. A variable names or holds one.

What is wrong with one is said in a sentence that never shows what is in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...llm_backends.errors import NotConfigured
from ...llm_backends.types import Secret

_LARGEST_FILE = 64 * 1024
_PEM = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----.+-----END (?:RSA )?PRIVATE KEY-----", re.S)
_TOKEN_URIS = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")
_SERVICE_ACCOUNT_HINT = (
    "Create a key of the type JSON for a service account in Google Cloud's console, and write the path of "
    "its file into {variable}."
)
_PRIVATE_KEY_HINT = "Write the path of the .pem file that belongs to your API key into {variable}."


@dataclass(frozen=True)
class ServiceAccount:
    """A service account of Google's: who it is, its project, and the key that signs for it."""

    email: str
    project: str
    key_id: str
    key: Secret


def service_account(text: str, variable: str) -> ServiceAccount:
    """The service account in the file that `text` names, or in `text`. Raises `NotConfigured`."""
    hint = _SERVICE_ACCOUNT_HINT.format(variable=variable)
    text, what = _content(text, variable, hint, begins="{")
    try:
        account = json.loads(text)
    except ValueError:
        account = None
    if not isinstance(account, dict):
        raise NotConfigured(f"{what} is not a service account: it is not JSON.", hint=hint)
    kind = account.get("type")
    if kind != "service_account":
        shown = kind if isinstance(kind, str) and re.fullmatch(r"[a-z_]{1,40}", kind) else "no known type"
        raise NotConfigured(f"{what} is not a service account: its type is {shown}.", hint=hint)
    key = account.get("private_key")
    if not isinstance(key, str) or not _PEM.fullmatch(key.strip()):
        raise NotConfigured(f"{what} is a service account without its private key.", hint=hint)
    email = account.get("client_email")
    if not isinstance(email, str) or "@" not in email:
        raise NotConfigured(f"{what} is a service account without its client_email.", hint=hint)
    if account.get("token_uri", _TOKEN_URIS[0]) not in _TOKEN_URIS:
        raise NotConfigured(
            f"{what} names an address for tokens that is not Google's.",
            hint="Download the file again, or set VERTEX_AI_TOKEN_URL if that address is meant.",
        )
    project, key_id = (str(account.get(name) or "") for name in ("project_id", "private_key_id"))
    return ServiceAccount(email, project, key_id, Secret(key.strip()))


def private_key(text: str, variable: str) -> Secret:
    """The private key (PEM) in the file that `text` names, or in `text`. Raises `NotConfigured`."""
    hint = _PRIVATE_KEY_HINT.format(variable=variable)
    text, what = _content(text, variable, hint, begins="-----BEGIN")
    key = text.replace("\\n", "\n").replace("\r\n", "\n").strip()
    if "ENCRYPTED" in key:
        raise NotConfigured(
            f"{what} is a private key with a passphrase, for which nobody could be asked.",
            hint=f"Write one without a passphrase: `openssl rsa -in KEY.pem -out PLAIN.pem`. {hint}",
        )
    found = _PEM.search(key)
    if found is None:
        raise NotConfigured(f"{what} is not a private key.", hint=hint)
    return Secret(found[0])


def _content(text: str, variable: str, hint: str, *, begins: str) -> tuple[str, str]:
    """The text of the file that `text` names, or `text` itself; and what to call it."""
    text = text.strip().strip("\"'").strip()
    if text.startswith(begins):
        return text, f"The text in {variable}"
    what = f"The file that {variable} names"
    try:
        with Path(text).expanduser().open(encoding="utf-8-sig") as file:
            content = file.read(_LARGEST_FILE)
    except FileNotFoundError:
        raise NotConfigured(f"{what} does not exist.", hint=hint) from None
    except UnicodeDecodeError:
        raise NotConfigured(f"{what} is not a text file.", hint=hint) from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
        raise NotConfigured(f"{what} cannot be read ({reason}).", hint=hint) from None
    return content, what
