"""The list of jobs: the queue and the history in the form that newer frontends ask for."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from prompt_queue import Item
from server import PromptServer

import nodes

ENDS = {"execution_success": "completed", "execution_error": "failed", "execution_interrupted": "cancelled"}


def add(server: PromptServer) -> None:
    queue, router = server.prompt_queue, server.app.router

    def known() -> list[dict[str, Any]]:
        running, pending = queue.get_current_queue_volatile()
        found = [_waiting(item, "in_progress") for item in running]
        found += [_waiting(item, "pending") for item in pending]
        found += [_ended(record) for record in queue.get_history().values()]
        return sorted(found, key=lambda job: job["create_time"], reverse=True)

    async def listing(request: web.Request) -> web.Response:
        asked = request.rel_url.query
        wanted = [name.strip().lower() for name in asked.get("status", "").split(",") if name.strip()]
        offset, limit = int(asked.get("offset", 0)), int(asked["limit"]) if "limit" in asked else None
        found = [job for job in known() if not wanted or job["status"] in wanted]
        page = found[offset:] if limit is None else found[offset : offset + limit]
        more = offset + len(page) < len(found)
        paging = {"offset": offset, "limit": limit, "total": len(found), "has_more": more}
        return web.json_response({"jobs": page, "pagination": paging})

    async def one(request: web.Request) -> web.Response:
        for job in known():
            if job["id"] == request.match_info["id"]:
                record = queue.get_history(job["id"]).get(job["id"])
                return web.json_response(job | (_details(record) if record else {}))
        return web.json_response({"error": "Job not found"}, status=404)

    def cancel(job_id: str) -> bool:
        running, _ = queue.get_current_queue_volatile()
        if any(item[1] == job_id for item in running):
            nodes.interrupt_processing()
            return True
        return queue.delete_queue_item(lambda item: item[1] == job_id)

    async def cancel_one(request: web.Request) -> web.Response:
        return web.json_response({"cancelled": cancel(request.match_info["id"])})

    async def cancel_many(request: web.Request) -> web.Response:
        asked = (await request.json())["job_ids"]
        return web.json_response({"cancelled": any([cancel(job_id) for job_id in asked])})

    router.add_get("/api/jobs", listing)
    router.add_get("/api/jobs/{id}", one)
    router.add_post("/api/jobs/cancel", cancel_many)
    router.add_post("/api/jobs/{id}/cancel", cancel_one)


def _waiting(item: Item, status: str) -> dict[str, Any]:
    number, prompt_id, _, extra_data, _ = item[:5]
    job = {"id": prompt_id, "status": status, "priority": number, "create_time": extra_data["create_time"]}
    job |= {"outputs_count": 0, "previewable_outputs_count": 0}
    workflow = (extra_data.get("extra_pnginfo") or {}).get("workflow") or {}
    return job | ({"workflow_id": workflow["id"]} if workflow.get("id") else {})


def _ended(record: dict[str, Any]) -> dict[str, Any]:
    job = _waiting(record["prompt"], "completed")
    for event, data in record["status"]["messages"]:
        if event == "execution_start":
            job["execution_start_time"] = data["timestamp"]
        elif event in ENDS:
            job |= {"status": ENDS[event], "execution_end_time": data["timestamp"]}
            if event == "execution_error":
                job["execution_error"] = data
    shown = [
        (node_id, kind, item) for node_id, ui in record["outputs"].items() for kind in ui for item in ui[kind]
    ]
    files = [
        {**item, "nodeId": node_id, "mediaType": kind}
        for node_id, kind, item in shown
        if isinstance(item, dict)
    ]
    job["outputs_count"] = job["previewable_outputs_count"] = len(files)
    texts = [(node_id, item) for node_id, kind, item in shown if kind == "text" and isinstance(item, str)]
    previews = files + [{"content": text, "nodeId": node_id, "mediaType": "text"} for node_id, text in texts]
    return job | ({"preview_output": previews[0]} if previews else {})


def _details(record: dict[str, Any]) -> dict[str, Any]:
    _, _, prompt, extra_data, _ = record["prompt"]
    workflow = {"prompt": prompt, "extra_data": extra_data}
    return {"outputs": record["outputs"], "execution_status": record["status"], "workflow": workflow}
