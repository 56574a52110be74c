"""The pictures of a lesson's pages on a slow machine and a broken line: none keeps the others waiting."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests import client_code

BROWSER = """
    // what the browser gives: pictures of which some are never decoded, and a line that may fail
    const asked = [];
    globalThis.sessionStorage = { getItem: () => null };
    globalThis.location = { search: "", hash: "", href: "http://county.test/" };
    URL.createObjectURL = () => `blob:${asked.length}`;
    URL.revokeObjectURL = () => undefined;
    globalThis.Image = class {
        decode() { return given.decodes ? Promise.resolve() : new Promise(() => undefined); }
    };
    let fails = given.fails;
    globalThis.fetch = async (address) => {
        asked.push({ address, at: performance.now() });
        if (fails-- > 0) throw new TypeError("Failed to fetch");
        return new Response(new Blob(["picture"]), { status: 200 });
    };
    const pictures = new module.PagePictures("lesson");
    const wanted = [1, 2, 3].map((page) => ({ version: "v", page, small: false }));
    const began = performance.now();
    pictures.want(wanted);
    const there = async (page) => {
        while (pictures.url(wanted[page - 1]) === undefined) await new Promise((done) => setTimeout(done, 5));
        return performance.now() - began;
    };
    await there(1);
    const first = performance.now() - began;
    await there(3);
    pictures.close();
    return { first, asked: asked.map(({ address, at }) => [Number(address.match(/pages.(\\d+)/)[1]), at - began]) };
"""


def test_a_picture_that_is_never_decoded_keeps_no_other_waiting_and_is_shown() -> None:
    found = run(decodes=False, fails=0)
    assert [page for page, _ in found["asked"]] == [1, 2, 3]
    assert max(at for _, at in found["asked"]) < found["first"], "pages were asked for only once the first was shown"


def test_a_failed_request_is_made_again_at_once_and_then_ever_later() -> None:
    found = run(decodes=True, fails=3)
    assert [page for page, _ in found["asked"]] == [1, 1, 1, 1, 2, 3]
    moments = [at for _, at in found["asked"]]
    waits = [later - earlier for earlier, later in pairwise(moments[:4])]
    # a busy machine makes each of them longer, and none shorter
    assert all(wait >= least for wait, least in zip(waits, (190, 390, 790), strict=True)), waits


def run(*, decodes: bool, fails: int) -> dict[str, Any]:
    answer: dict[str, Any] = client_code.run(
        "classroom/page-pictures.ts", BROWSER, {"decodes": decodes, "fails": fails}
    )
    return answer
