"""The fixture ``board``: tag tables in a folder, as a user's extensions keep them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quillwork.prompting.tags import files

DANBOORU = """\
1girl,0,6008644,"1girls,sole_female"
solo,0,5000954,"female_solo,solo_female"
long_hair,0,4350743,"/lh,longhair"
highres,5,5256195,"high_res,hires"
red_eyes,0,1275540,"red_eye,redeyes"
pantyhose,0,528923,"panty_hose,tights"
outdoors,0,537892,"outdoor,outside"
rain,0,99999,
red_scarf,0,50000,
^_^,0,110141,^^
hatsune_miku,4,106634,/hm
vocaloid,3,156791,"/vo,vocaloid_2"
saber_(fate),4,20000,
fate_(series),3,324179,
wlop,1,5000,
multiple_girls,0,1533521,/ngirls
"""
E621 = """\
anthro,0,3381927,"anthropomorphic,antro"
canine,5,1287668,"k9,canines"
hi_res,7,3116617,high_res
outside,0,900000,outdoors
"""


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write tables by their names; they rank by when they were written."""
    found: list[Path] = []
    monkeypatch.setattr(files, "_find", lambda: tuple(found))

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        found.append(path)
        return path

    return write
