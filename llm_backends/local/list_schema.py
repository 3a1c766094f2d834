"""Recognition of list requests by their schema."""

from __future__ import annotations

from ..types import Request


def list_count(request: Request) -> int:
    """The number of values that the schema ``{"values": [...]}`` asks for; 0 where it is no such list."""
    properties = (request.schema or {}).get("properties")
    values = properties.get("values") if isinstance(properties, dict) and len(properties) == 1 else None
    if not isinstance(values, dict) or values.get("type") != "array":
        return 0
    if (values.get("items") or {}).get("type") != "string":
        return 0
    low = values.get("minItems")
    counted = low if low is not None and low == values.get("maxItems") else getattr(request.task, "count", 0)
    return counted if isinstance(counted, int) and counted > 0 else 0
