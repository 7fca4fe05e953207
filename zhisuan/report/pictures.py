"""Pictures as data URIs, kept small enough for a page.

In: PNG bytes.  Out: a `data:` URI.  Small pictures stay the PNG they are, bit for bit; large
ones become JPEG of at most 1200 pixels a side, which the page says.
"""

from __future__ import annotations

import base64
import io

KEEP_BYTES = 500_000
SIDE = 1200


def data_uri(png: bytes) -> tuple[str, bool]:
    """(URI, whether the picture is shown exactly as it is)."""
    if len(png) <= KEEP_BYTES:
        return "data:image/png;base64," + base64.b64encode(png).decode("ascii"), True
    from PIL import Image  # slow to import, and only large pictures need it

    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii"), False
