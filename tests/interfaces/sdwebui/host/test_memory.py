"""Room for a local model beside the checkpoint, with torch; the host's own modules are its contract alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from card.fixtures import _device_guard, card  # noqa: F401
from interfaces.sdwebui.jobs import Job, generate
from tiny_model.fixtures import TRAINING_S, tiny_model  # noqa: F401

from quillwork.interfaces.sdwebui.host.memory import HostMemory
from quillwork.llm_backends.local.unload import unload_in_place

torch = pytest.importorskip("torch", reason="the lanes with local models have it")

# Neither a CPU nor a card whose memory could be queried: everything on it is scarce.
SHORT = torch.device("meta")


@dataclass
class Visitor:
    """Model of `size` bytes; see `llm_backends.host.ManagedModel`."""

    name: str = "visitor"
    size: int = 1000
    loaded_on: Any = None
    log: list = field(default_factory=list)
    dtype: str = ""

    def load(self, device: Any, dtype: str = "") -> None:
        self.loaded_on, self.dtype = device, dtype
        self.log.append("load")

    def detach(self) -> None:
        self.loaded_on = None
        self.log.append("detach")


def host_module(monkeypatch, name: str, **members: Any) -> None:
    """Put a host's module where it is imported from."""
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    parent, _, child = name.rpartition(".")
    if parent:
        monkeypatch.setitem(sys.modules, parent, sys.modules.get(parent) or ModuleType(parent))
        monkeypatch.setattr(sys.modules[parent], child, module, raising=False)


@pytest.fixture
def manager(monkeypatch) -> list:
    """Set up Forge's manager on a device short of memory; return what it was asked to free."""
    freed: list = []
    host_module(
        monkeypatch,
        "backend.memory_management",
        free_memory=lambda size, device: freed.append((size, device)),
        minimum_inference_memory=lambda: 500,
        get_torch_device=lambda: SHORT,
    )
    return freed


def test_the_manager_makes_room_and_the_guest_goes_before_sampling(manager):
    memory, visitor = HostMemory(), Visitor()
    memory.admit(visitor, 70)
    assert manager == [(1100 + 70 + 500, SHORT)]
    assert visitor.loaded_on == SHORT
    memory.admit(visitor, 70)
    assert manager[1] == (570, SHORT), "its weights are there already"
    memory.make_way()
    assert visitor.log == ["load", "load", "detach"]
    memory.make_way()
    assert visitor.log[-2:] == ["load", "detach"], "it was sent away twice"


def test_the_checkpoint_goes_and_comes_back_where_there_is_no_manager(monkeypatch):
    log: list = []
    checkpoint = object()
    host_module(monkeypatch, "modules.devices", device=SHORT)
    host_module(
        monkeypatch,
        "modules.sd_models",
        model_data=type("Data", (), {"sd_model": checkpoint})(),
        send_model_to_cpu=lambda model: log.append(("away", model)),
        send_model_to_device=lambda model: log.append(("back", model)),
    )
    memory, visitor = HostMemory(), Visitor()
    memory.admit(visitor, 1)
    memory.admit(visitor, 1)
    assert log == [("away", checkpoint)]
    memory.make_way()
    assert log == [("away", checkpoint), ("back", checkpoint)]
    assert visitor.loaded_on is None


def test_on_the_cpu_nobody_has_to_go(manager, monkeypatch):
    monkeypatch.setattr(sys.modules["backend.memory_management"], "get_torch_device", lambda: "cpu")
    memory, visitor = HostMemory(), Visitor()
    memory.admit(visitor, 1)
    memory.make_way()
    assert manager == []
    assert visitor.loaded_on == torch.device("cpu")


@pytest.mark.parametrize(
    ("bf16", "fp16", "dtype"), [(True, True, "bf16"), (False, True, "fp16"), (False, False, "fp32")]
)
def test_it_computes_in_what_the_manager_computes_in(manager, monkeypatch, bf16, fp16, dtype):
    host = sys.modules["backend.memory_management"]
    monkeypatch.setattr(host, "should_use_bf16", lambda device: bf16, raising=False)
    monkeypatch.setattr(host, "should_use_fp16", lambda device: fp16, raising=False)
    visitor = Visitor()
    HostMemory().admit(visitor, 1)
    assert visitor.dtype == dtype


def test_no_half_counts_where_there_is_no_manager(monkeypatch):
    for host_dtype, dtype in ((torch.float32, "fp32"), (torch.float16, "")):
        host_module(monkeypatch, "modules.devices", device=SHORT, dtype=host_dtype)
        visitor = Visitor()
        HostMemory().admit(visitor, 1)
        assert visitor.dtype == dtype


def test_who_was_released_is_forgotten(manager):
    memory, visitor = HostMemory(), Visitor()
    memory.admit(visitor, 1)
    memory.release(visitor)
    memory.make_way()
    assert visitor.log == ["load", "detach"]


@pytest.mark.timeout(TRAINING_S + 300)
@pytest.mark.parametrize(("checkpoint_gib", "stays"), [(3.0, True), (3.3, False)])
def test_on_a_card_it_stays_where_both_have_room(
    card,  # noqa: F811
    tiny_model,  # noqa: F811
    monkeypatch,
    checkpoint_gib,
    stays,
):
    from quillwork.interfaces.sdwebui.host import memory as guest_memory
    from quillwork.llm_backends.local.transformers_local.resident_model import ResidentModel

    host_module(monkeypatch, "modules.devices", device=torch.device("cuda", 0), dtype=torch.float16)
    monkeypatch.setattr(guest_memory, "_checkpoint_bytes", lambda: int(checkpoint_gib * 2**30))
    memory, model = HostMemory(), ResidentModel(tiny_model, "fp32")
    for _ in range(2):
        memory.admit(model, 1)
        assert model.loaded_on == torch.device("cuda", 0) and card.memory.taken > model.size / 2
        memory.make_way()
        assert (model.loaded is not None) is stays
        assert (card.memory.taken > 0) is stays
    memory.release(model)
    assert card.memory.taken == 0


@pytest.mark.timeout(TRAINING_S + 300)
def test_a_real_model_writes_in_the_hosts_thread(library, tiny_model, monkeypatch):  # noqa: F811
    monkeypatch.delenv("LLM_BASE_URL")
    monkeypatch.delenv("LLM_MODEL")
    named = {"mode": "hf_local", "model": str(tiny_model), "generate_missing": True, "parts": []}
    try:
        (text,) = generate(Job(prompt="a __colors__ fox"), named).all_prompts
    finally:
        unload_in_place()
    assert text.startswith("a ")
    assert text.removeprefix("a ").removesuffix(" fox") in (library / "colors.txt").read_text()
