"""The registry of nodes, and how a pack's folder gets into it."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import comfy.model_management
from comfy_api.latest import ComfyExtension, io
from node_kinds import NodeKind, V1Kind, V3Kind

NODE_CLASS_MAPPINGS: dict[str, Any] = {}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {}
EXTENSION_WEB_DIRS: dict[str, str] = {}
LOADED_MODULE_DIRS: dict[str, str] = {}


class Kinds(dict[str, NodeKind]):
    """The kinds of nodes, looked up as the host does when a node runs: a pack may add some later on."""

    def __missing__(self, name: str) -> NodeKind:
        register(name, NODE_CLASS_MAPPINGS[name], None, "nodes")
        return self[name]


KINDS = Kinds()


def interrupt_processing(value: bool = True) -> None:
    comfy.model_management.interrupt_current_processing(value)


def before_node_execution() -> None:
    comfy.model_management.throw_exception_if_processing_interrupted()


def register(name: str, node: Any, display_name: str | None, module: str) -> None:
    node.RELATIVE_PYTHON_MODULE = module
    NODE_CLASS_MAPPINGS[name] = node
    if display_name is not None:
        NODE_DISPLAY_NAME_MAPPINGS[name] = display_name
    v3 = isinstance(node, type) and issubclass(node, io.ComfyNode)
    KINDS[name] = V3Kind(node) if v3 else V1Kind(name, node, display_name or name)


async def load_custom_node(folder: Path) -> bool:
    """Import a pack and take over its nodes. False, with a line in the log, when that fails."""
    name = folder.name
    module_name = str(folder).replace(".", "_x_")
    try:
        spec = importlib.util.spec_from_file_location(module_name, folder / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[module_name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        LOADED_MODULE_DIRS[name] = str(folder)
        web = getattr(module, "WEB_DIRECTORY", None)
        if web is not None and (folder / web).is_dir():
            EXTENSION_WEB_DIRS[name] = os.path.abspath(folder / web)
    except Exception:
        logging.warning(traceback.format_exc())
        logging.warning("Cannot import %s module for custom nodes", folder)
        return False
    if getattr(module, "NODE_CLASS_MAPPINGS", None) is not None:
        names = getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", {})
        for key, node in module.NODE_CLASS_MAPPINGS.items():
            register(key, node, names.get(key), f"custom_nodes.{name}")
        return True
    if not hasattr(module, "comfy_entrypoint"):
        logging.warning("Skip %s: it has neither NODE_CLASS_MAPPINGS nor comfy_entrypoint.", folder)
        return False
    try:
        extension = module.comfy_entrypoint()
        if inspect.isawaitable(extension):
            extension = await extension
        if not isinstance(extension, ComfyExtension):
            logging.warning("comfy_entrypoint in %s did not return a ComfyExtension, skipping.", folder)
            return False
        await extension.on_load()
        for node in await extension.get_node_list():
            schema = node.GET_SCHEMA()
            register(schema.node_id, node, schema.display_name, f"custom_nodes.{name}")
    except Exception as error:
        logging.warning("Error while calling comfy_entrypoint in %s: %s", folder, error)
        return False
    return True


async def load_all(custom_nodes: Path) -> None:
    import core_nodes
    import text_nodes

    for node in (*core_nodes.NODES, *text_nodes.NODES):
        schema = node.GET_SCHEMA()
        register(schema.node_id, node, schema.display_name, "nodes")
    taken = []
    for folder in custom_nodes.iterdir():
        if folder.name == "__pycache__" or folder.name.endswith(".disabled") or not folder.is_dir():
            continue
        began = time.perf_counter()
        loaded = await load_custom_node(folder)
        taken.append((time.perf_counter() - began, "" if loaded else " (IMPORT FAILED)", folder))
    logging.info("Import times for custom nodes:")
    for seconds, failed, folder in sorted(taken):
        logging.info("%6.1f seconds%s: %s", seconds, failed, folder)
