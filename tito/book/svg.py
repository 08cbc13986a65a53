"""SVG for the book: a version for dark pages of any drawing, and the few shapes that the book's own diagrams are made of."""

import html
import re

from tito.book.figures import turned_rgb

HEX = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
COLOUR_NAMES = {"white": "#ffffff", "black": "#000000"}
INK, SOFT, LINE, PAPER = "#222222", "#555555", "#777777", "#ffffff"
BLUE, ORANGE, GREEN, RED = "#2f6db3", "#b85c00", "#2e7d32", "#b3261e"
PALE = {BLUE: "#dceafc", ORANGE: "#fdebd3", GREEN: "#dff2e1", RED: "#fbe0de", SOFT: "#f1f1f1"}
STYLE = "text{{font-family:system-ui,sans-serif;fill:{ink}}}.mono{{font-family:ui-monospace,monospace}}"


def darkened(svg):
    """Return a drawing for dark pages: ink becomes light, paper dark, and colours keep their hue."""
    named = re.sub(r'(?<=[":])(white|black)(?=[";}])', lambda name: COLOUR_NAMES[name[1]], svg)
    return HEX.sub(lambda found: turned(found[1]), named)


def turned(digits):
    """Return the colour that takes the place of one in six or three hexadecimal digits."""
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    rgb = turned_rgb([int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)])
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def words(svg):
    """Return the words of a drawing, for a description of one that has none."""
    title = re.search(r"<title>(.*?)</title>", svg, re.DOTALL)
    if title:
        return html.unescape(title[1])
    texts = [html.unescape(re.sub("<[^>]*>", "", text)) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]
    shown = list(dict.fromkeys(text for text in texts if re.search(r"[A-Za-z]", text)))
    return "Drawing: " + ", ".join(shown[:16]) if shown else "Drawing"


class Drawing:
    """Shapes on a sheet of paper; sizes are in pixels.

    Args:
        width: Width of the sheet.
        height: Height of the sheet.
        title: What a reader who cannot see it is told.
    """

    def __init__(self, width, height, title):
        self.width, self.height, self.title, self.parts = width, height, title, []

    def box(self, x, y, width, height, colour=SOFT, radius=3, filled=True, weight=1.0):
        """Add a rectangle."""
        fill = PALE.get(colour, colour) if filled else "none"
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" fill="{fill}" stroke="{colour}" '
            f'stroke-width="{weight:g}"/>'
        )

    def text(self, x, y, words, size=13, anchor="middle", colour=INK, mono=False, bold=False):
        """Add a line of text; `y` is its baseline."""
        look = ' class="mono"' if mono else ""
        look += ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" style="fill:{colour}"{look}>'
            f"{html.escape(str(words))}</text>"
        )

    def line(self, *points, colour=LINE, arrow=False, dashed=False, weight=1.5):
        """Add a line through points (x, y), with a head at its end if `arrow`."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        look = ' stroke-dasharray="4 3"' if dashed else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{weight:g}"{look}/>')
        if arrow:
            self.head(points[-2], points[-1], colour)

    def head(self, start, end, colour=LINE, size=7):
        """Add an arrow's head at the end of a line."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1
        dx, dy = size * dx / length, size * dy / length
        corners = [end, (end[0] - dx - dy / 2, end[1] - dy + dx / 2), (end[0] - dx + dy / 2, end[1] - dy - dx / 2)]
        self.parts.append(f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}" fill="{colour}"/>')

    def raw(self, markup):
        """Add markup as it is."""
        self.parts.append(markup)

    def __str__(self):
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
                f'viewBox="0 0 {self.width:g} {self.height:g}" role="img">',
                f"<title>{html.escape(self.title)}</title>",
                f"<style>{STYLE.format(ink=INK)}</style>",
                *self.parts,
                "</svg>",
            ]
        )
