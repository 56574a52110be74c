"""Files as teachers hand them in: PDFs written by hand, pictures, and broken ones."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def pdf(pages: int = 3, *, width: int = 595, height: int = 842, encrypted: bool = False, content: bytes = b"") -> bytes:
    """A PDF of so many pages, `width` by `height` points, each with its number on it."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(pages))
    objects.append(f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for page in range(pages):
        stream = content or f"BT /F1 48 Tf 60 {height // 2} Td (Page {page + 1}) Tj ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}]"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * page} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    made = bytearray(b"%PDF-1.5\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(made)
    made += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    made += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    lock = b""
    if encrypted:
        # a key that no password makes: whoever opens it is asked for one
        word = b"<" + b"41" * 32 + b">"
        lock = b" /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O " + word + b" /U " + word + b" >>"
        lock += b" /ID [<41><41>]"
    made += f"trailer << /Size {len(objects) + 1} /Root 1 0 R".encode() + lock + b" >>\n"
    return bytes(made + f"startxref\n{table}\n%%EOF\n".encode())


def picture(kind: str = "PNG", width: int = 800, height: int = 600, *, exif: bytes = b"") -> bytes:
    """A picture that shows something."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    written = BytesIO()
    image.save(written, kind, **({"exif": exif} if exif else {}))
    return written.getvalue()


def sideways_photo() -> bytes:
    """A JPEG of a telephone that was held upright: wider than high, and to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", 800, 600, exif=exif.tobytes())
