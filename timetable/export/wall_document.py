"""This module owns pages as one document that any browser prints: each page a sheet of paper, drawn to the point.

The document has no script and fetches nothing, so that it prints the same from a server, a folder or a letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate

from timetable.export.paper import LINE, PAPERS
from timetable.export.wall_pages import FRAME, HATCH, LOOKS, Look, Page, Style

SHEETS = {"A3": ("420mm 297mm", 25.2, 30.9), "A4": ("297mm 210mm", 24.9, 30.1)}
"""By paper: its size, and the margins left and above in points; the foot stands in the one below."""
EDGES = {"thin": ".5pt solid", "medium": "1.25pt solid", "thick": "2pt solid", "double": "2pt double"}
FONTS = '"Microsoft YaHei","PingFang SC","Noto Sans CJK SC","Source Han Sans SC","WenQuanYi Zen Hei",sans-serif'


def wall_document(pages: Sequence[Page], title: str, language: str, footer: str) -> bytes:
    """The pages in order, in HTML; `footer` stands below each with its number."""
    body = "".join(_sheet(page, f"{footer} · {number}/{len(pages)}") for number, page in enumerate(pages, 1))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_rules()}</style>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{body}</body></html>\n'.encode()


def _sheet(page: Page, foot: str) -> str:
    paper = page.paper
    boxes = "".join(_boxes(page))
    return (
        f'<section class="sheet {paper.name}" style="font-size:{_pt(page.size)}">{boxes}'
        f'<footer style="font-size:{_pt(paper.least)}">{escape(foot)}</footer></section>'
    )


def _boxes(page: Page) -> Iterator[str]:
    _, left, top = SHEETS[page.paper.name]
    across = [left, *accumulate(page.columns, initial=left)][1:]
    down = [top, *accumulate(page.rows, initial=top)][1:]
    for box in page.boxes:
        size = page.type_of(box.style)
        own_type = "" if size == page.size else f";font-size:{_pt(size)}"
        place = (
            f"left:{_pt(across[box.left])};top:{_pt(down[box.top])};"
            f"width:{_pt(across[box.right + 1] - across[box.left])};"
            f"height:{_pt(down[box.bottom + 1] - down[box.top])}"
        )
        yield f'<div class="{box.style}" style="{place}{own_type}"><p>{escape(_unbroken(box.text))}</p></div>'


def _unbroken(text: str) -> str:
    """A browser would break 3-1 after the hyphen; the room was reckoned for names that stay whole."""
    return text.replace("-", "-\N{WORD JOINER}")


def _pt(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".") + "pt"


def _rules() -> str:
    return "".join(
        (
            *(f"@page {name}{{size:{size};margin:0}}.{name}{{page:{name}}}" for name, (size, _, _) in SHEETS.items()),
            *(_paper(name) for name in PAPERS),
            f"body{{margin:0;font-family:{FONTS};line-height:{LINE};print-color-adjust:exact;",
            "-webkit-print-color-adjust:exact}",
            ".sheet{position:relative;overflow:hidden;break-after:page;background:#fff}",
            ".sheet:last-child{break-after:auto}",
            ".sheet>div{position:absolute;box-sizing:border-box;display:flex;align-items:center;",
            "justify-content:center;text-align:center;overflow:hidden;padding:0 .75pt}",
            ".sheet p{margin:0;white-space:pre-line;overflow-wrap:anywhere}",
            ".sheet>.note p{white-space:pre-wrap}",
            ".sheet footer{position:absolute;left:0;right:0;bottom:12pt;text-align:center;color:#465162}",
            *(_look(style, look) for style, look in LOOKS.items()),
            "@media screen{body{background:#D9DDE2;padding:12pt}",
            ".sheet{margin:0 auto 12pt;box-shadow:0 1pt 6pt #0004}}",
        )
    )


def _paper(name: str) -> str:
    size, _, _ = SHEETS[name]
    wide, high = size.split()
    return f".{name}{{width:{wide};height:{high}}}"


def _look(style: Style, look: Look) -> str:
    rules = [f"color:{look.ink}"]
    if look.framed:
        rules.append(f"outline:.5pt solid {FRAME};outline-offset:-.25pt")
    if look.fill:
        rules.append(f"background:{look.fill}")
    if look.bold:
        rules.append("font-weight:bold")
    if look.edge:
        rules.append(f"border-left:{EDGES[look.line]} {look.edge};padding:0")
    if style == "leftover":
        rules.append(f"background:repeating-linear-gradient(135deg,{HATCH} 0 .5pt,#fff .5pt 2.5pt)")
    return f".sheet>.{style}{{{';'.join(rules)}}}"
