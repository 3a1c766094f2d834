"""Nodes that only tests need. Linked into custom_nodes of whichever host runs."""

from comfy_api.latest import ComfyExtension

from .asking import NODES as ASKING
from .encoders import NODES as ENCODERS
from .lists import NODES as LISTS
from .noop import NODES as NOOP
from .pictures import NODES as PICTURES
from .shapes import NODES as SHAPES
from .timing import NODES as TIMING
from .tools import NODES as TOOLS
from .trouble import NODES as TROUBLE


class TestPack(ComfyExtension):
    async def get_node_list(self):
        return [*TIMING, *LISTS, *TROUBLE, *SHAPES, *NOOP, *TOOLS, *PICTURES, *ASKING, *ENCODERS]


async def comfy_entrypoint():
    return TestPack()
