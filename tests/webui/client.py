"""A client of a web UI's HTTP API: /sdapi/v1 and our own routes."""

from __future__ import annotations

import base64
import json as jsonlib
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from host.client import HostError, Response
from host.png import text_chunks

TITLE = "Quillwork"


@dataclass
class Generated:
    """The result of one generation: the PNG files, and the text that each of them holds."""

    images: list[bytes] = field(default_factory=list)
    infotexts: list[str] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    error: str = ""

    @property
    def infotext(self) -> str:
        return self.infotexts[0] if self.infotexts else ""


class Client:
    """A client of one web UI. `fixed` goes into every generation that does not say otherwise."""

    def __init__(self, base_url: str, fixed: dict[str, Any]) -> None:
        self.base_url, self._fixed = base_url, fixed
        self._threads = ThreadPoolExecutor(max_workers=4)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 100.0,
    ) -> Response:
        body = None if json is None else jsonlib.dumps(json).encode()
        sent = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        request = urllib.request.Request(self.base_url + path, data=body, headers=sent, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return Response(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Response(error.code, dict(error.headers), error.read())

    def get(self, path: str, headers: dict[str, str] | None = None, timeout: float = 100.0) -> Response:
        return self.request("GET", path, headers=headers, timeout=timeout)

    def post(
        self, path: str, json: Any = None, headers: dict[str, str] | None = None, timeout: float = 100.0
    ) -> Response:
        return self.request("POST", path, {} if json is None else json, headers, timeout)

    # Generations

    def txt2img(self, prompt: str = "a fox", args: list[Any] | None = None, **fields: Any) -> Generated:
        """Run one job; `args` are our script's, by position (None: it is not named, its defaults count)."""
        return self.generate("txt2img", {"prompt": prompt, **fields}, args)

    def img2img(self, prompt: str = "a fox", args: list[Any] | None = None, **fields: Any) -> Generated:
        fields.setdefault("init_images", [PIXEL])
        return self.generate("img2img", {"prompt": prompt, **fields}, args)

    def generate(self, task: str, fields: dict[str, Any], args: list[Any] | None) -> Generated:
        body = {"seed": 5, **self._fixed, **fields}
        if args is not None:
            named = body.get("alwayson_scripts", {})
            body["alwayson_scripts"] = {**named, TITLE: {"args": args}}
        # A real one on a busy CPU takes minutes for its first image.
        answer = self.post(f"/sdapi/v1/{task}", json=body, timeout=900.0 if self._fixed else 100.0)
        if answer.status != 200:
            return Generated(status=answer.status, error=answer.text)
        body = answer.json()
        images = [base64.b64decode(image) for image in body["images"]]
        texts = [text_chunks(image).get("parameters", "") for image in images]
        return Generated(images, texts, jsonlib.loads(body["info"]))

    def start(self, prompt: str = "a fox", args: list[Any] | None = None, **fields: Any) -> Future[Generated]:
        """Start `txt2img` in the background."""
        return self._threads.submit(self.txt2img, prompt, args, **fields)

    def interrupt(self) -> None:
        if self.post("/sdapi/v1/interrupt").status != 200:
            raise HostError("The web UI does not take an interrupt.")

    def skip(self) -> None:
        if self.post("/sdapi/v1/skip").status != 200:
            raise HostError("The web UI does not take a skip.")

    def script_args(self, tab: str = "txt2img", title: str = TITLE) -> list[dict[str, Any]]:
        """The host's description of a script's arguments: label and default value of each."""
        for script in self.get("/sdapi/v1/script-info").json():
            if script["name"] == title.lower() and script["is_img2img"] == (tab == "img2img"):
                return script["args"]
        raise HostError(f"The web UI has no script {title}.")


# A picture of one pixel, for img2img.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
