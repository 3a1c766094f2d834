"""Running prompts: the same assertions on the stand-in and on ComfyUI itself."""

from __future__ import annotations

import json
import time

import pytest

from host.graphs import node


def shows(value):
    return node("PreviewAny", source=value)


class TestRuns:
    def test_success_gives_outputs_and_history(self, host):
        run = host.run({"1": node("PrimitiveString", value="a fox"), "2": shows(["1", 0])})
        assert run.status == "success"
        assert run.shown("2") == ["a fox"]
        assert run.executed["2"] == {"text": ["a fox"]}
        assert run.history["status"]["status_str"] == "success"
        assert run.history["status"]["completed"] is True
        assert run.history["outputs"] == {"2": {"text": ["a fox"]}}
        assert [kind for kind, _ in run.history["status"]["messages"]] == [
            "execution_start",
            "execution_cached",
            "execution_success",
        ]
        assert 0 < run.seconds < 60

    def test_api_format_with_a_prompt_key(self, host):
        assert host.run({"prompt": {"1": shows("x")}}).shown("1") == ["x"]

    @pytest.mark.parametrize("after", [0.0, 0.05])
    def test_error_names_node_and_cause(self, host, after):
        run = host.run({"7": node("TestpackFail", message="no fox here", after=after)})
        assert run.status == "error"
        assert run.message == "no fox here"
        assert run.error["node_id"] == "7"
        assert run.error["node_type"] == "TestpackFail"
        assert run.error["exception_type"] == "ValueError"
        assert any("trouble.py" in line for line in run.error["traceback"])
        assert not any("the cause of it" in line for line in run.error["traceback"])
        assert run.history["status"]["status_str"] == "error"
        assert run.history["outputs"] == {}
        assert "the cause of it" in host.log()

    def test_error_prints_inputs_of_a_node_that_never_waited(self, host):
        run = host.run(
            {
                "1": node("TestpackTicket", name="Ann"),
                "2": node("TestpackTakeTicket", ticket=["1", 0], fail=True),
            }
        )
        assert run.error["current_inputs"] == {"ticket": ["<ticket of Ann>"], "fail": [True]}

    def test_error_after_a_wait_prints_no_inputs(self, host):
        run = host.run({"7": node("TestpackFail", message="m", after=0.05)})
        assert run.error["current_inputs"] == {}

    def test_the_next_prompt_runs_after_an_error(self, host):
        assert host.run({"7": node("TestpackFail", message="m", after=0.0)}).status == "error"
        assert host.run({"1": shows("x")}).status == "success"

    def test_class_of_a_running_node_is_locked(self, host):
        run = host.run({"1": node("TestpackSetOnClass")})
        assert run.error["exception_type"] == "AttributeError"
        assert "remembered" in run.message


class TestRefusals:
    def refused(self, host, **nodes):
        run = host.run({name.strip("n"): made for name, made in nodes.items()})
        assert run.status == "refused"
        return run

    def test_unknown_node(self, host):
        run = self.refused(host, n1=node("NoSuchNode"))
        assert run.error["error"]["type"] == "missing_node_type"
        assert "NoSuchNode" in run.message

    def test_no_output_node(self, host):
        assert (
            self.refused(host, n1=node("PrimitiveString", value="x")).error["error"]["type"]
            == "prompt_no_outputs"
        )

    def test_missing_input(self, host):
        run = self.refused(host, n1=node("PreviewAny"))
        assert run.error["node_errors"]["1"]["errors"][0]["type"] == "required_input_missing"

    @pytest.mark.parametrize(
        ("changed", "kind"),
        [
            ({"seed": -1}, "value_smaller_than_min"),
            ({"seed": 101}, "value_bigger_than_max"),
            ({"seed": "many"}, "invalid_input_type"),
            ({"strict": "c"}, "value_not_in_list"),
            ({"any": "bad"}, "custom_validation_failed"),
        ],
    )
    def test_bad_value(self, host, changed, kind):
        inputs = {"strict": "a", "any": "a", "seed": 1} | changed
        run = self.refused(host, n5=node("TestpackChoose", **inputs))
        assert [error["type"] for error in run.error["node_errors"]["5"]["errors"]] == [kind]
        if kind == "custom_validation_failed":
            assert "'bad' is not for node 5" in run.message

    def test_value_that_only_validate_inputs_looks_at(self, host):
        run = host.run({"5": node("TestpackChoose", strict="b", any="something else", seed=2)})
        assert run.shown("5") == ["b something else 2"]

    def test_values_are_converted_to_their_types(self, host):
        run = host.run({"5": node("TestpackChoose", strict="b", any="a", seed="7")})
        assert run.shown("5") == ["b a 7"]

    def test_wrong_type_of_link(self, host):
        run = self.refused(
            host,
            n1=node("TestpackTicket", name="x"),
            n2=node("TestpackUpper", text=["1", 0], times=1),
            n3=shows(["2", 0]),
        )
        assert run.error["node_errors"]["2"]["errors"][0]["type"] == "return_type_mismatch"

    def test_cycle(self, host):
        run = self.refused(
            host,
            n1=node("TestpackUpper", text=["2", 0], times=1),
            n2=node("TestpackUpper", text=["1", 0], times=1),
            n3=shows(["2", 0]),
        )
        assert run.error["node_errors"]["2"]["errors"][0]["type"] == "dependency_cycle"

    def test_one_good_output_of_two_runs(self, host):
        run = host.run({"1": shows("x"), "2": node("TestpackChoose", strict="c", any="a", seed=1)})
        assert run.status == "success"
        assert list(run.outputs) == ["1"]

    def test_prompt_id_of_another_form(self, host):
        body = {"prompt": {"1": shows("x")}, "prompt_id": "7A16A75B-5B0F-4F5A-9C5F-3E9F5F3C9B11"}
        assert host.post("/prompt", json=body).status == 400


class TestInterrupt:
    @pytest.mark.parametrize("kind", ["TestpackSleep", "TestpackSleepBlocking"])
    def test_ends_a_node_and_the_next_prompt_runs(self, host, kind):
        run = host.run(
            {"1": node(kind, seconds=30.0, label="")}, interrupt_after=lambda run: "1" in run.texts
        )
        assert run.status == "interrupted"
        assert run.error["node_id"] == "1"
        assert run.interrupt_s < 20
        assert run.history["status"]["status_str"] == "error"
        assert run.outputs == {}
        assert host.run({"1": shows("x")}).status == "success"

    def test_after_seconds(self, host):
        run = host.run({"1": node("TestpackSleep", seconds=30.0, label="")}, interrupt_after=0.2)
        assert run.status == "interrupted"
        assert run.interrupted_at >= 0.2

    def test_of_another_prompt_does_nothing(self, host):
        run = host.submit({"1": node("TestpackSleep", seconds=0.5, label="")})
        host.interrupt("3c9f5f3c-5b0f-4f5a-9c5f-7a16a75b9b11")
        assert host.wait(run).status == "success"

    def test_cancels_a_node_that_does_not_look(self, host, tmp_path):
        record = tmp_path / "record"
        run = host.run(
            {
                "1": node("TestpackCancelled", file=str(record), winding_up=0.3),
                "2": node("TestpackSleep", seconds=30.0, label=""),
            },
            interrupt_after=lambda run: "2" in run.texts and "1" in run.started,
        )
        assert run.status == "interrupted"
        assert record.read_text() == "CancelledError"
        assert host.run({"1": shows("x")}).status == "success"

    def test_error_of_one_node_cancels_the_others(self, host, tmp_path):
        record = tmp_path / "record"
        run = host.run(
            {
                "1": node("TestpackCancelled", file=str(record), winding_up=0.0),
                "2": node("TestpackFail", message="m", after=0.1),
            }
        )
        assert run.status == "error"
        assert record.read_text() == "CancelledError"

    def test_before_a_prompt_is_forgotten(self, host):
        host.interrupt()
        assert host.run({"1": shows("x")}).status == "success"


def test_a_cancellation_that_leaves_a_node_ends_the_worker_for_good(host_factory):
    host = host_factory(fresh=True)
    assert host.run({"1": shows("x")}).status == "success"
    host.post("/prompt", json={"prompt": {"1": node("TestpackVanish")}})
    later = host.submit({"1": shows("y")})
    time.sleep(1)
    assert host.history(later.prompt_id) == {}
    assert not host.idle()
    assert "CancelledError" in host.log()


class TestLists:
    def test_plain_input_runs_once_for_each_item(self, host):
        run = host.run(
            {
                "1": node("TestpackLines", text="a\nb\nc"),
                "2": node("TestpackNumbers", text="1\n2"),
                "3": node("TestpackUpper", text=["1", 0], times=["2", 0]),
                "4": shows(["3", 0]),
            }
        )
        assert run.shown("4") == ["A", "BB", "CC"]
        assert run.shown("3", "seen") == ["a", "b", "c"]
        assert run.started.count("3") == 1

    def test_input_list_arrives_whole_and_widgets_as_lists_of_one(self, host):
        run = host.run(
            {"1": node("TestpackLines", text="a\nb"), "2": node("TestpackJoin", values=["1", 0], between="-")}
        )
        assert run.shown("2") == ["a-b"]
        assert run.shown("2", "got") == [repr((["a", "b"], ["-"], "not given"))]

    def test_any_type_fits_every_socket(self, host):
        run = host.run(
            {
                "1": node("TestpackValues", json='["b", "a"]'),
                "2": node("TestpackValues", json="[1, 2, 3]"),
                "3": node("TestpackChoose", strict=["1", 0], any="a", seed=["2", 0]),
            }
        )
        assert run.shown("3") == ["b a 1"]

    def test_match_type_passes_any_value(self, host):
        run = host.run(
            {
                "1": node("TestpackLines", text="a\nb"),
                "2": node("TestpackSame", value=["1", 0]),
                "3": shows(["2", 0]),
            }
        )
        assert run.shown("3") == ["a", "b"]

    def test_custom_type(self, host):
        run = host.run(
            {
                "1": node("TestpackTicket", name="Ann"),
                "2": node("TestpackTakeTicket", ticket=["1", 0], fail=False),
            }
        )
        assert json.loads(run.shown("2")[0]) == "<ticket of Ann>"


class TestCache:
    def test_same_inputs_do_not_run_again(self, host):
        prompt = {"1": node("TestpackCount", name="same"), "2": shows(["1", 0])}
        first, second = host.run(prompt), host.run(prompt)
        assert first.shown("2") == second.shown("2")
        assert first.cached == []
        assert set(second.cached) == {"1", "2"}
        assert second.started == []
        assert second.executed == {"2": {"text": first.shown("2")}}

    def test_changed_input_runs_the_node_and_all_behind_it(self, host):
        def prompt(text):
            return {
                "1": node("PrimitiveString", value=text),
                "2": node("TestpackCount", name="behind", value=["1", 0]),
                "3": shows(["2", 0]),
            }

        first, second = host.run(prompt("a")), host.run(prompt("b"))
        assert int(second.shown("3")[0]) == int(first.shown("3")[0]) + 1

    def test_equal_nodes_share_a_result(self, host):
        run = host.run(
            {
                "1": node("TestpackCount", name="twin"),
                "2": node("TestpackCount", name="twin"),
                "3": shows(["1", 0]),
                "4": shows(["2", 0]),
            }
        )
        assert run.shown("3") == run.shown("4")

    def test_not_idempotent_nodes_do_not(self, host):
        run = host.run({i: node("TestpackSleep", seconds=0.0, label="same") for i in ("1", "2")})
        assert set(run.texts) == {"1", "2"}

    def test_only_the_last_prompt_is_remembered(self, host):
        prompt = {"1": node("TestpackCount", name="again"), "2": shows(["1", 0])}
        first = host.run(prompt)
        host.run({"1": shows("something else")})
        assert int(host.run(prompt).shown("2")[0]) == int(first.shown("2")[0]) + 1

    def test_fingerprint_decides(self, host, tmp_path):
        file = tmp_path / "values.txt"
        prompt = {
            "8": node("PrimitiveString", value="linked"),
            "1": node("TestpackFingerprint", file=str(file), link=["8", 0]),
        }
        file.write_text("one")
        assert host.run(prompt).started == ["8", "1"]
        assert host.run(prompt).started == []
        file.write_text("two")
        again = host.run(prompt)
        assert again.shown("1") == ["two"]
        assert again.started == ["1"]
        assert file.with_suffix(".arrived").read_text() == repr(([str(file)], (None,), "1"))

    def test_failing_fingerprint_means_run(self, host, tmp_path):
        prompt = {"1": node("TestpackFingerprint", file=str(tmp_path / "none.txt"))}
        assert host.run(prompt).started == ["1"]
        again = host.run(prompt)
        assert again.started == ["1"]
        assert again.shown("1") == ["no file"]

    def test_intermediate_output_is_shown_again(self, host):
        prompt = {"1": node("TestpackIntermediate", text="shown"), "2": shows(["1", 0])}
        host.run(prompt)
        again = host.run(prompt)
        assert again.started == []
        assert again.executed["1"] == {"text": ["shown"]}

    def test_free_empties_it(self, host):
        prompt = {"1": node("TestpackCount", name="free"), "2": shows(["1", 0])}
        first = host.run(prompt)
        host.post("/free", json={"free_memory": True})
        time.sleep(0.5)
        assert int(host.run(prompt).shown("2")[0]) == int(first.shown("2")[0]) + 1

    def test_clean_empties_it(self, host):
        prompt = {"1": node("TestpackCount", name="clean"), "2": shows(["1", 0])}
        first = host.run(prompt)
        host.clean()
        assert int(host.run(prompt).shown("2")[0]) == int(first.shown("2")[0]) + 1


class TestTogether:
    def overlap(self, run):
        (a, b), (c, d) = (run.outputs[i]["when"][0] for i in ("1", "2"))
        return min(b, d) - max(a, c)

    def test_async_nodes_overlap(self, host):
        run = host.run({i: node("TestpackSleep", seconds=0.4, label=i) for i in ("1", "2")})
        assert self.overlap(run) > 0.2
        assert set(run.texts) == {"1", "2"}

    @pytest.mark.parametrize(("name", "value"), [("2", "1"), ("1", "2")])
    def test_async_nodes_start_first(self, host, name, value):
        kinds = {
            name: node("TestpackStream", text="x", pause=0.1),
            value: node("TestpackUpper", text="x", times=1),
        }
        run = host.run(
            {
                "1": kinds["1"],
                "2": kinds["2"],
                "3": node("TestpackCount", name=["1", 0], value=["2", 0]),
                "4": shows(["3", 0]),
            }
        )
        assert run.started == [name, value, "3", "4"]

    def test_blocking_nodes_do_not(self, host):
        run = host.run({i: node("TestpackSleepBlocking", seconds=0.2, label=i) for i in ("1", "2")})
        assert self.overlap(run) <= 0

    def test_prompts_run_one_after_the_other(self, host):
        runs = [host.submit({"1": node("TestpackSleep", seconds=0.3, label=str(i))}) for i in range(2)]
        (_, end), (start, _) = (host.wait(run).outputs["1"]["when"][0] for run in runs)
        assert end <= start
