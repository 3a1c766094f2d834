"""An extension with folders of our names, which it imports as extensions do: by plain name, now and later."""

import importlib
import sys

from modules import script_callbacks

import llm_backends

AT_LOADING = llm_backends.WHOSE
# Roots that A1111 takes off the path again.
ROOT = llm_backends.__file__.rpartition("llm_backends")[0].rstrip("/\\")


def routes(demo, app):
    def report():
        sys.path.append(ROOT)
        try:
            nodes = importlib.import_module("nodes")
        finally:
            sys.path.remove(ROOT)
        return {
            "llm_backends": AT_LOADING,
            "nodes_later": getattr(nodes, "WHOSE", nodes.__file__),
            "modules": sorted(name for name in sys.modules),
            "path": sys.path,
        }

    app.add_api_route("/neighbour", report)


script_callbacks.on_app_started(routes)
