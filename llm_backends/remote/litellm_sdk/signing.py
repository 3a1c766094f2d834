"""Signatures for SageMaker: litellm writes the keys that it signs with into the body, so it is given none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...types import Deployment, Secret

if TYPE_CHECKING:
    import httpx

# What litellm is given in place of the keys.
NO_KEYS = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
_OURS = ("aws_", "sagemaker_base_url")


def signature_for(deployment: Deployment) -> Callable[[httpx.Request], httpx.Request] | None:
    """Return the step that signs with `deployment`'s keys in litellm's place, or None."""
    if deployment.params.get("custom_llm_provider") != "sagemaker_chat":
        return None

    def sign(request: httpx.Request) -> httpx.Request:
        import httpx
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        params = {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in deployment.params.items()
        }
        key = deployment.api_key.reveal() if deployment.api_key else ""
        keys = Credentials(params["aws_access_key_id"], key, params.get("aws_session_token"))
        asked = {
            name: value for name, value in json.loads(request.content).items() if not name.startswith(_OURS)
        }
        body = json.dumps(asked).encode()
        url = str(request.url)
        signed = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(keys, "sagemaker", params["aws_region_name"]).add_auth(signed)
        return httpx.Request(
            "POST", url, content=body, headers=dict(signed.headers.items()), extensions=request.extensions
        )

    return sign
