"""Progress, images, routes, packs, and the fixture itself: the same on the stand-in and on ComfyUI."""

from __future__ import annotations

import json
import time

import pytest

from host.client import HostError
from host.graphs import graph, node
from host.png import text_chunks


def shows(value):
    return node("PreviewAny", source=value)


class TestProgress:
    def test_text_and_bar_arrive_while_the_node_runs(self, host):
        run = host.run(
            {"1": node("TestpackStream", text="a fox in the snow", pause=0.15), "2": shows(["1", 0])}
        )
        assert [text.text for text in run.texts["1"]] == [
            "a",
            "a fox",
            "a fox in",
            "a fox in the",
            "a fox in the snow",
        ]
        assert run.last_text("1") == "a fox in the snow"
        assert run.first_text_s == run.texts["1"][0].at
        assert run.texts["1"][-1].at - run.first_text_s > 0.3
        assert [(step.node, step.value, step.max) for step in run.progress] == [
            ("1", n, 5) for n in range(1, 6)
        ]

    def test_bar_is_held_back_when_it_moves_too_often(self, host):
        run = host.run({"1": node("TestpackStream", text="w " * 60, pause=0.0), "2": shows(["1", 0])})
        assert run.progress[-1].value == 60
        assert len(run.progress) < 30

    def test_bar_raises_the_interrupt(self, host):
        run = host.run(
            {"1": node("TestpackStream", text="w " * 200, pause=0.15), "2": shows(["1", 0])},
            interrupt_after=lambda run: len(run.texts.get("1", ())) > 1,
        )
        assert run.status == "interrupted"
        assert run.error["node_id"] == "1"

    @pytest.mark.parametrize("broadcast", [False, True])
    def test_only_a_broadcast_reaches_another_browser(self, host, broadcast):
        with host.listen() as other:
            host.run(
                {
                    "1": node("TestpackStream", text="a fox", pause=0.05, broadcast=broadcast),
                    "2": shows(["1", 0]),
                }
            )
            time.sleep(0.1)
            assert ("1" in other.run.texts) is broadcast


class TestImages:
    def graph(self, note):
        return {
            "1": node("EmptyImage", width=16, height=8, batch_size=1, color=255),
            "2": node("TestpackAnnotate", value=["1", 0], note=note),
            "3": node("SaveImage", images=["2", 0], filename_prefix="made/by_test"),
        }

    def test_saved_image_carries_prompt_and_workflow(self, host):
        workflow = {"nodes": [], "extra": {}}
        run = host.run(self.graph("from the node"), workflow=workflow)
        assert run.status == "success", run.message
        (image,) = run.shown("3", "images")
        assert image == {"filename": "by_test_00001_.png", "subfolder": "made", "type": "output"}
        data = (host.output_directory / "made" / "by_test_00001_.png").read_bytes()
        chunks = text_chunks(data)
        assert json.loads(chunks["prompt"]) == self.graph("from the node")
        assert json.loads(chunks["workflow"]) == {"nodes": [], "extra": {"note": "from the node"}}
        seen = host.get("/view?filename=by_test_00001_.png&subfolder=made&type=output")
        assert seen.body == data
        assert seen.headers["Content-Type"] == "image/png"

    def test_history_keeps_the_workflow_as_it_was_sent(self, host):
        run = host.run(self.graph("n"), workflow={"nodes": [], "extra": {}})
        assert run.history["prompt"][3]["extra_pnginfo"]["workflow"] == {"nodes": [], "extra": {}}

    def test_view_leaves_no_folder(self, host):
        (host.base_directory / "user" / "secret.txt").write_text("key")
        seen = host.get("/view?filename=secret.txt&subfolder=../user&type=output")
        assert seen.status in (400, 403)


class TestServer:
    def test_object_info(self, host):
        info = host.object_info("TestpackNoopEnhance")
        assert info["input_order"]["required"] == ["prompt", "instruction", "target", "variations", "seed"]
        assert info["input_order"]["optional"][0] == "llm_mode"
        assert info["input"]["required"]["seed"] == [
            "INT",
            {"default": 0, "min": 0, "control_after_generate": "fixed"},
        ]
        assert info["input"]["optional"]["llm"] == ["QUILLWORK_LLM", {}]
        assert info["input"]["optional"]["llm_model"] == [
            "STRING",
            {"advanced": True, "default": "", "multiline": False},
        ]
        assert info["input"]["hidden"] == {
            "unique_id": ["UNIQUE_ID"],
            "extra_pnginfo": ["EXTRA_PNGINFO"],
            "prompt": ["PROMPT"],
        }
        assert info["output"] == ["STRING", "STRING", "STRING"]
        assert info["output_is_list"] == [True, True, False]
        assert info["output_name"] == ["prompt", "negative", "info"]
        assert info["output_node"] is True
        assert info["is_input_list"] is True
        assert info["python_module"] == "custom_nodes.testpack"
        assert "PreviewAny" in host.object_info()

    def test_routes_answer_under_api_too(self, host):
        assert host.get("/api/queue").json() == host.get("/queue").json()

    def test_origin_of_another_site_is_turned_away(self, host):
        assert host.post("/interrupt", json={}, headers={"Origin": "http://evil.example"}).status == 403
        assert host.post("/interrupt", json={}, headers={"Origin": host.base_url}).status == 200
        assert host.post("/interrupt", json={}, headers={"Origin": "null"}).status == 200
        assert host.get("/queue", headers={"Sec-Fetch-Site": "cross-site"}).status == 403

    def test_userdata_is_open_to_every_client(self, host):
        host.user_directory.joinpath("quillwork").mkdir(parents=True)
        host.user_directory.joinpath("quillwork", ".env").write_text("KEY=planted")
        assert host.get("/userdata/quillwork%2F.env").text == "KEY=planted"
        assert host.request("POST", "/userdata/quillwork%2Fx.yaml", data=b"mode: auto").status == 200
        assert host.user_directory.joinpath("quillwork", "x.yaml").read_text() == "mode: auto"
        assert host.get("/userdata?dir=quillwork").json() in (["x.yaml"], [".env", "x.yaml"])
        assert host.request("DELETE", "/userdata/quillwork%2Fx.yaml").status == 204

    def test_userdata_of_the_system_is_not(self, host):
        host.quillwork_home.mkdir(parents=True)
        host.quillwork_home.joinpath("settings").write_text("planted")
        for path in ("/userdata/..%2F__quillwork%2Fsettings", "/userdata/__quillwork%2Fsettings"):
            assert host.get(path).status in (403, 404)

    def test_settings(self, host):
        assert host.get("/settings").json() == {}
        assert host.post("/settings/Comfy.TutorialCompleted", json=True).status == 200
        assert host.get("/settings/Comfy.TutorialCompleted").json() is True
        assert host.get("/settings").json() == {"Comfy.TutorialCompleted": True}

    def test_queue_can_be_cleared(self, host):
        first = host.submit({"1": node("TestpackSleep", seconds=2.0, label="")})
        second = host.submit({"1": shows("never")})
        while not host.get("/queue").json()["queue_running"]:
            time.sleep(0.01)
        assert len(host.get("/queue").json()["queue_pending"]) == 1
        host.post("/queue", json={"delete": [second.prompt_id]})
        assert host.wait(first).status == "success"
        assert host.history(second.prompt_id) == {}


class TestJobs:
    def jobs(self, host, query=""):
        return {job["id"]: job["status"] for job in host.get(f"/api/jobs{query}").json()["jobs"]}

    def test_every_state_has_a_name(self, host):
        done = host.run({"1": shows("x")})
        failed = host.run({"1": node("TestpackFail", message="m", after=0.0)})
        stopped = host.run(
            {"1": node("TestpackSleep", seconds=30.0, label="")}, interrupt_after=lambda run: "1" in run.texts
        )
        running = host.submit({"1": node("TestpackSleep", seconds=2.0, label="")})
        pending = host.submit({"1": shows("y")})
        names = ("completed", "failed", "cancelled", "in_progress", "pending")
        # A prompt is taken out of the queue a moment after it was posted.
        while self.jobs(host).get(running.prompt_id) == "pending":
            time.sleep(0.01)
        runs = (done, failed, stopped, running, pending)
        assert self.jobs(host) == dict(zip((run.prompt_id for run in runs), names, strict=True))
        assert self.jobs(host, "?status=failed,pending") == {
            failed.prompt_id: "failed",
            pending.prompt_id: "pending",
        }
        assert host.get(f"/api/jobs/{done.prompt_id}").json()["outputs"] == {"1": {"text": ["x"]}}

    def test_cancel(self, host):
        running = host.submit({"1": node("TestpackSleep", seconds=30.0, label="")})
        pending = host.submit({"1": shows("y")})
        # A prompt that has left the queue still has a moment in which the host forgets an interrupt.
        while not running.started:
            time.sleep(0.01)
        for run in (pending, running):
            assert host.post(f"/api/jobs/{run.prompt_id}/cancel").json() == {"cancelled": True}
        assert host.wait(running).status == "interrupted"
        assert host.post(f"/api/jobs/{running.prompt_id}/cancel").json() == {"cancelled": False}
        assert pending.prompt_id not in self.jobs(host)


class TestPacks:
    @pytest.fixture
    def start(self, host_factory, tmp_path):
        def start(**sources):
            packs = {}
            for name, source in sources.items():
                packs[name] = tmp_path / name
                packs[name].mkdir()
                (packs[name] / "__init__.py").write_text(source)
            return host_factory(packs=packs)

        return start

    V3 = """
from comfy_api.latest import ComfyExtension, io
class Node(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Tried", inputs=[io.String.Input("text"{argument})]{schema}, outputs=[])
    @classmethod
    def execute(cls, text): pass
class Pack(ComfyExtension):
    async def get_node_list(self): return [Node]
def comfy_entrypoint(): return Pack()
"""

    def v3(self, argument="", schema=""):
        return self.V3.format(argument=argument, schema=schema)

    def test_only_what_the_host_knows_is_accepted(self, start):
        host = start(
            good=self.v3(argument=", advanced=True", schema=", search_aliases=['x']").replace(
                "Tried", "Good"
            ),
            bad_input=self.v3(argument=", colour='red'").replace("Tried", "BadInput"),
            bad_schema=self.v3(schema=", is_output_list=True").replace("Tried", "BadSchema"),
            bad_import="import no_such_module_at_all",
            twice=self.v3(argument="), io.Int.Input('text'").replace("Tried", "Twice"),
            empty="",
        )
        known = host.object_info()
        assert "Good" in known
        assert not {"BadInput", "BadSchema", "Twice"} & set(known)
        log = host.log()
        assert "unexpected keyword argument 'colour'" in log
        assert "Input ids must be unique" in log
        assert "(IMPORT FAILED): " + str(host.custom_nodes / "bad_import") in log
        assert host.run({"1": shows("x")}).status == "success"

    def test_older_style_of_nodes(self, start):
        host = start(
            old="""
class Old:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""}), "how": (["a", "b"],)},
                "hidden": {"id": "UNIQUE_ID", "info": "EXTRA_PNGINFO"}}
    RETURN_TYPES = ("STRING",)
    FUNCTION = "go"
    OUTPUT_NODE = True
    CATEGORY = "old"
    def go(self, text, how, id, info):
        return {"ui": {"text": [f"{text} {how} {id} {info}"]}, "result": (text,)}
NODE_CLASS_MAPPINGS = {"Old": Old}
"""
        )
        run = host.run({"4": node("Old", text="x", how="b"), "5": shows(["4", 0])}, workflow={"a": 1})
        assert run.shown("4") == ["x b 4 {'workflow': {'a': 1}}"]
        assert run.shown("5") == ["x"]
        assert host.run({"4": node("Old", text="x", how="c")}).status == "refused"
        assert host.object_info("Old")["output_node"] is True

    def test_files_for_the_browser(self, start, tmp_path):
        (tmp_path / "shared.json").write_text("{}")
        host = start(webbed="NODE_CLASS_MAPPINGS = {}\nWEB_DIRECTORY = './web'\n")
        pack = host.custom_nodes / "webbed"
        assert host.get("/extensions/webbed/a.js").status == 404
        for folder in ("web", "locales/en", "workflows", "subgraphs"):
            (pack / folder).mkdir(parents=True)
        (pack / "web" / "a.js").write_text("//")
        (pack / "locales" / "en" / "nodeDefs.json").write_text('{"Old": {"display_name": "Older"}}')
        (pack / "workflows" / "w.json").write_text("{}")
        (pack / "subgraphs" / "s.json").write_text('{"x": 1}')
        host.restart()
        assert host.get("/extensions/webbed/a.js").text == "//"
        assert "/extensions/webbed/a.js" in host.get("/extensions").json()
        assert host.get("/i18n").json()["en"]["nodeDefs"]["Old"] == {"display_name": "Older"}
        assert host.get("/workflow_templates").json()["webbed"] == ["w"]
        assert host.get("/api/workflow_templates/webbed/w.json").text == "{}"
        ((key, entry),) = [
            (key, entry)
            for key, entry in host.get("/global_subgraphs").json().items()
            if entry["info"]["node_pack"] == "custom_nodes.webbed"
        ]
        assert entry["name"] == "s"
        assert json.loads(host.get(f"/global_subgraphs/{key}").json()["data"]) == {"x": 1}


class TestFactory:
    def environment(self, host, name):
        return host.run({"1": node("TestpackEnvironment", name=name)}).shown("1")[0]

    def test_environment_is_the_servers_own(self, host_factory, monkeypatch):
        for name in ("OPENAI_API_KEY", "LLM_MODE", "HTTP_PROXY"):
            monkeypatch.setenv(name, "planted")
        host = host_factory(env={"LLM_MODE": "phrasebook"})
        assert self.environment(host, "LLM_MODE") == "phrasebook"
        assert self.environment(host, "OPENAI_API_KEY") == "unset"
        assert self.environment(host, "HTTP_PROXY") == "unset"
        assert self.environment(host, "HOME") == str(host.base_directory)

    def test_one_host_for_one_environment(self, host_factory):
        host = host_factory(env={"LLM_MODE": "phrasebook"})
        assert host_factory(env={"LLM_MODE": "phrasebook"}) is host
        assert host_factory() is not host

    def test_restart_keeps_files_and_may_change_the_environment(self, host_factory):
        host = host_factory(fresh=True)
        host.quillwork_home.mkdir()
        (host.quillwork_home / "kept").write_text("x")
        host.restart({"LLM_MODE": "auto"})
        assert (host.quillwork_home / "kept").exists()
        assert self.environment(host, "LLM_MODE") == "auto"

    def test_clean_removes_what_was_saved(self, host):
        host.quillwork_home.mkdir()
        (host.quillwork_home / "library.yaml").write_text("x")
        host.clean()
        assert not host.quillwork_home.exists()

    def test_time_out_shows_the_log(self, host):
        with pytest.raises(HostError, match=r"(?s)No end of the prompt.*got prompt"):
            host.run({"1": node("TestpackSleep", seconds=2.0, label="")}, timeout=0.3)

    def test_graph_of_a_file_format(self, tmp_path):
        file = tmp_path / "g.json"
        file.write_text(json.dumps({"prompt": {"1": shows("x")}}))
        assert graph(file) == {"1": shows("x")}
