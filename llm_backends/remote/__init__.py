"""Models on the other side of a wire, and the formats that they speak."""
