"""Entry of the web UI as our host."""

from __future__ import annotations

import sys
from functools import partial

from ....config.host_profile import HostProfile, enter, leave_note
from ....config.settings import host_notes
from ....config.tag_files import tag_files
from ....prompting.tags.files import use_files
from . import wildcards
from .folders import model_folders, models_path, own_home
from .settings import ORIGIN, page_file, read_options


def settle_in() -> None:
    """Hand in the host's settings page, folders and name, and leave a note of them for the command line."""
    models = models_path()
    profile = HostProfile(
        host_notes.WEB_UI,
        version=_version(),
        home=own_home(),
        models=models,
        model_folders=partial(model_folders, models) if models is not None else None,
        library_folders=wildcards.folders,
        settings=read_options,
        settings_origin=ORIGIN,
        page=page_file(),
    )
    enter(profile)
    use_files(tag_files)
    leave_note(profile)


def _version() -> str:
    """Return the tag of an A1111 or Forge, or the commit of an SD.Next; empty where the host does not say."""
    tag = getattr(sys.modules.get("modules.launch_utils"), "git_tag", None)
    version = getattr(sys.modules.get("installer"), "version", None)
    try:
        version = tag() if tag is not None else version["commit"] if isinstance(version, dict) else ""
    except Exception:  # noqa: BLE001 - it is the host's own, and no reason to fail its start
        return ""
    return version if isinstance(version, str) else ""
