"""QR codes for papers, as SVG."""


def qr_svg(text: str) -> str:
    """Draw text as a QR code that can be read when up to 15 % of it is lost."""
    import segno  # noqa: PLC0415  Only who makes a document draws one.

    return segno.make_qr(text, error="m").svg_inline(border=4, omitsize=True)
