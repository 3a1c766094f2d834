"""The help page of a node, in the frontend's side panel: all of it can be read there."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

NODES = ("QuillworkEnhancePrompt", "QuillworkLLMSettings", "QuillworkChat")


@pytest.mark.parametrize("kind", NODES)
def test_nothing_is_cut_off(comfy, kind):
    node = comfy.add(kind)
    comfy.of(node, "void app.canvas.selectNode(node)")
    comfy.page.locator("[data-testid=info-button]").click()
    picture = comfy.page.locator("img[src*='/quillwork/docs/images/']").first
    picture.wait_for()
    cut = picture.evaluate(
        """(picture) => {
            let page = picture.parentElement;
            while (page.querySelectorAll('h2').length < 2) page = page.parentElement;
            const {right} = page.getBoundingClientRect();
            return [...page.querySelectorAll('*')]
                .filter((one) => one.getBoundingClientRect().right > right + 1)
                .map((one) => one.outerHTML.slice(0, 200));
        }"""
    )
    assert cut == []
    # English has its page where every other language falls back to.
    comfy.forgive("status of 404")
