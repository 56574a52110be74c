"""This module owns what the machine's fonts lend to pages: many PDF files name a Chinese font and do not carry it."""

from __future__ import annotations

import pypdfium2

_PAGE = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 120 60]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>> endobj
4 0 obj <</Length 37>> stream
BT /F 40 Tf 10 15 Td <540C8BFE> Tj ET
endstream endobj
5 0 obj <</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>> endobj
6 0 obj <</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R
  /CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>> endobj
7 0 obj <</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0/Ascent 880
  /Descent -120/CapHeight 880/StemV 93>> endobj
trailer <</Size 8/Root 1 0 R>>
%%EOF
"""
"""`同课` in a font that every Chinese office suite names."""


def draws_chinese() -> bool:
    """Whether Chinese text comes out where a file does not carry its font; without one it stays blank."""
    document = pypdfium2.PdfDocument(_PAGE)
    try:
        page = document[0]
        drawn = page.render(scale=1, grayscale=True)
        return min(bytes(drawn.buffer)) < 128
    finally:
        document.close()
