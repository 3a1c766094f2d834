"""The base class of nodes, and their output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .schema import HiddenHolder, Schema


class UIOutput(ABC):
    @abstractmethod
    def as_dict(self) -> dict[str, Any]: ...


class NodeOutput:
    """The values of a node's outputs, and those that its browser side is to show."""

    def __init__(
        self,
        *args: Any,
        ui: UIOutput | dict[str, Any] | None = None,
        expand: None = None,
        block_execution: None = None,
    ) -> None:
        if expand is not None or block_execution is not None:
            raise NotImplementedError("the stand-in neither expands nor blocks nodes")
        self.args = args
        self.ui = ui.as_dict() if isinstance(ui, UIOutput) else ui

    @property
    def result(self) -> tuple[Any, ...] | None:
        return self.args or None

    def __getitem__(self, index: int) -> Any:
        return self.args[index]

    @classmethod
    def of(cls, returned: Any) -> NodeOutput:
        """Make a `NodeOutput` from any value that a node's `execute` may return."""
        if returned is None:
            return cls()
        if isinstance(returned, NodeOutput):
            return returned
        if isinstance(returned, tuple):
            return cls(*returned)
        if isinstance(returned, dict):
            return cls(*returned.get("result", ()), ui=returned.get("ui"))
        raise Exception(f"Invalid return type from node: {type(returned)}")


class _Locked(type):
    def __setattr__(cls, name: str, value: Any) -> None:
        raise AttributeError(f"Cannot modify class attribute '{name}' on locked class '{cls.__name__}'")


class ComfyNode:
    """A node is its class: `define_schema` and `execute`, both classmethods."""

    RELATIVE_PYTHON_MODULE: str | None = None
    SCHEMA: Schema | None = None
    hidden: HiddenHolder = None  # type: ignore[assignment]

    @classmethod
    def define_schema(cls) -> Schema:
        raise NotImplementedError

    @classmethod
    def execute(cls, **kwargs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def validate_inputs(cls, **kwargs: Any) -> bool | str:
        raise NotImplementedError

    @classmethod
    def fingerprint_inputs(cls, **kwargs: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def overrides(cls, name: str) -> bool:
        """Tell whether the node has a method of its own by this name."""
        return getattr(cls, name).__func__ is not getattr(ComfyNode, name).__func__

    @classmethod
    def FINALIZE_SCHEMA(cls) -> Schema:
        schema = cls.define_schema()
        schema.finalize()
        return schema

    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        for name in ("define_schema", "execute"):
            if not cls.overrides(name):
                raise Exception(f"No {name} function was defined for node class {cls.__name__}.")
        schema = cls.FINALIZE_SCHEMA()
        schema.validate()
        cls.SCHEMA = schema
        return schema

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:
        return cls.FINALIZE_SCHEMA().input_types()

    @classmethod
    def GET_NODE_INFO_V1(cls) -> dict[str, Any]:
        return cls.GET_SCHEMA().describe(cls.RELATIVE_PYTHON_MODULE or "nodes")

    @classmethod
    def for_call(cls, hidden: dict[str, Any]) -> type[ComfyNode]:
        """The class that one call gets: it knows its hidden inputs and cannot be changed."""
        return _Locked(f"{cls.__name__}Clone", (cls,), {"hidden": HiddenHolder(hidden)})
