"""The card: its tensors, its memory, and its refusals, which are those of a real one."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

CPU = torch.device("cpu")
# These bring a value to the processor, which has to wait for the card until it is there.
_WAITS = frozenset(
    {"aten::_local_scalar_dense", "aten::item", "aten::equal", "aten::is_nonzero", "aten::nonzero"}
)
_COPIES = frozenset({"aten::_to_copy", "aten::to.device", "aten::to.dtype_layout"})
# These take an index, or ask about a tensor, of whatever device.
_MIXED = frozenset(
    {
        "aten::index.Tensor",
        "aten::index_put",
        "aten::index_put_",
        "aten::_index_put_impl_",
        "aten::_has_compatible_shallow_copy_type",
    }
)


class OnCard(torch.Tensor):
    """A tensor on ``cuda:0``; `inner` is the one on the CPU that is computed with."""

    held: Held

    @staticmethod
    def of(inner: torch.Tensor, kind: type | None = None, requires_grad: bool = False) -> Any:
        tensor = torch.Tensor._make_wrapper_subclass(
            kind or OnCard,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device="cuda:0",
            requires_grad=requires_grad,
        )
        tensor.held = Held(inner)
        return tensor

    @property
    def inner(self) -> torch.Tensor:
        return self.held.inner

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return card().run(func, args, kwargs or {})

    @property
    def data(self) -> Any:
        return OnCard.of(self.inner)

    @data.setter
    def data(self, new: Any) -> None:
        if not isinstance(new, OnCard):
            raise RuntimeError("a tensor on the card is given data that is not there")
        torch.Tensor.data.__set__(self, OnCard.of(new.inner))
        self.held = new.held

    def tolist(self) -> Any:
        card().wait("tolist")
        return self.inner.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"OnCard({self.inner!r})"


class Held:
    """The memory of a tensor on the card, held for as long as the tensor is there."""

    def __init__(self, inner: torch.Tensor) -> None:
        self.inner = inner
        card().memory.take(self)


class Memory:
    """The memory of the card in bytes; one storage counts once, however many tensors view it."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.taken = 0
        self.most = 0
        self._users: Counter[int] = Counter()

    def take(self, held: Held) -> None:
        storage = held.inner.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if not size:
            return
        if not self._users[place]:
            if self.taken + size > self.capacity:
                del self._users[place]
                raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} bytes.")
            self.taken += size
            self.most = max(self.most, self.taken)
        self._users[place] += 1
        weakref.finalize(held, self._give_back, place, size)

    def _give_back(self, place: int, size: int) -> None:
        self._users[place] -= 1
        if not self._users[place]:
            del self._users[place]
            self.taken -= size


class Card(TorchDispatchMode):
    """A card that runs the operations meant for it.

    `asked` counts the operations that it had to compute (views and conversions to what is there already are
    none), `waits` how often the processor had to wait for it; `recording` is a graph in the making.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.memory = Memory(capacity)
        self.properties = SimpleNamespace(name="Card", major=9, minor=0, total_memory=capacity)
        self.asked: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.recording: Any = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.run(func, args, kwargs or {})

    def wait(self, name: str) -> None:
        if self.recording is not None:
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({name})")
        self.waits[name] += 1

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = func.name()
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        here = [tensor for tensor in tensors if isinstance(tensor, OnCard)]
        devices = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
        self._look(name, tensors, here, devices)
        plain_args, plain_kwargs = tree_map(_plain, (args, kwargs))
        output = func(*plain_args, **plain_kwargs)
        if name in ("aten::copy_", "aten::to.other"):
            target = args[0] if name == "aten::copy_" else args[1]
            stays = isinstance(target, OnCard)
        else:
            stays = devices[0].type == "cuda" if devices else bool(here)
        if name == "aten::copy_":
            output = args[0]
        if stays:
            if func._schema.is_mutable or not _seen_through(output, here):
                self.asked[name] += 1
            output = tree_map(lambda one: self._wrapped(one, here), output)
            if self.recording is not None:
                self.recording.add(func, plain_args, plain_kwargs, output)
        return output

    def _look(self, name: str, tensors: list[Any], here: list[Any], devices: list[Any]) -> None:
        """Refuse what a card refuses, and count the waits for it."""
        elsewhere = [tensor for tensor in tensors if not isinstance(tensor, OnCard)]
        if name == "aten::copy_":
            if isinstance(tensors[1], OnCard) and not isinstance(tensors[0], OnCard):
                self.wait("copy to the processor")
            if isinstance(tensors[0], OnCard) and not isinstance(tensors[1], OnCard):
                self._brought(tensors[1])
            return
        if name in _WAITS and here:
            self.wait(name)
        if name in _COPIES and devices:
            if here and devices[0].type == "cpu":
                self.wait("copy to the processor")
            elif elsewhere and devices[0].type == "cuda":
                self._brought(elsewhere[0])
        if here and name not in _MIXED and any(tensor.dim() for tensor in elsewhere):
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found at least two: {name} of "
                f"{[(tuple(tensor.shape), str(tensor.device)) for tensor in tensors]}"
            )

    def _brought(self, tensor: torch.Tensor) -> None:
        if self.recording is not None and tensor.device == CPU:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing (a copy)")

    @staticmethod
    def _wrapped(one: Any, here: list[Any]) -> Any:
        if not isinstance(one, torch.Tensor) or isinstance(one, OnCard):
            return one
        for tensor in here:
            if tensor.inner is one:
                return tensor
        place = one.untyped_storage().data_ptr()
        seen_through = [tensor for tensor in here if not tensor.is_inference()]
        if any(tensor.inner.untyped_storage().data_ptr() == place for tensor in seen_through):
            # A view of a tensor from outside of inference mode is none of inference mode either.
            with torch.inference_mode(False):
                return OnCard.of(one)
        return OnCard.of(one)


def _seen_through(output: Any, here: list[Any]) -> bool:
    """Tell whether `output` is the memory of tensors that were there before."""
    known = {tensor.inner.untyped_storage().data_ptr() for tensor in here}
    made = [leaf for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor) and leaf.numel()]
    return all(_plain(leaf).untyped_storage().data_ptr() in known for leaf in made)


def _plain(leaf: Any) -> Any:
    if isinstance(leaf, OnCard):
        return leaf.inner
    return CPU if isinstance(leaf, torch.device) else leaf


_there: list[Card] = []


def card() -> Card:
    """The card that is in the machine."""
    return _there[-1]


@contextlib.contextmanager
def inserted(capacity: int) -> Iterator[Card]:
    """A card of `capacity` bytes, for what this thread computes while this is open."""
    made = Card(capacity)
    _there.append(made)
    try:
        with made:
            yield made
    finally:
        _there.pop()


def keeping_its_kind(make: Callable[..., Any]) -> Callable[..., Any]:
    """Extend ``torch.Tensor._make_subclass`` to data on the card: bitsandbytes makes its weights with it."""
    kinds: dict[type, type] = {}

    def of(cls: Any, data: Any, require_grad: bool = False, **options: Any) -> Any:
        if not isinstance(data, OnCard):
            return make(cls, data, require_grad, **options)
        if cls not in kinds:
            names = {"__torch_dispatch__": OnCard.__torch_dispatch__, "data": OnCard.data}
            kinds[cls] = type(cls.__name__, (cls, OnCard), {**names, "__module__": cls.__module__})
        return OnCard.of(data.inner, kinds[cls], require_grad)

    return of
