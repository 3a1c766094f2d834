"""SD.Next's own module of this name, as far as extensions look at it."""

# The extensions that the Control tab shows; the others are left out of it.
control_extensions = ["NudeNet", "IP Adapters", "Remove background"]

version = {"app": "sd.next", "commit": "1a2b3c4d5", "updated": "2026-11-20", "branch": "master"}
