"""Draw every matplotlib figure of a page twice, for light and for dark pages, and say in words what it shows.

An IPython extension, which the kernel of a build loads: `load_ipython_extension` adds a formatter beside the one for PNG. Colours
follow the page; pixels that are the subject, such as those of `imshow`, stay as they are.
"""

import base64
import colorsys
import copy
import io

MIME = "application/vnd.tinytorch.figure+json"
SCALE = 2  # pixels of a screen for each of the page
GREY = 0.15  # below this saturation a colour is ink or paper, and turns with the page
INK = {"dark": (0.12, 0.90)}  # lightness of what was white and of what was black
MOST = 6  # things that a description names; more are counted


def load_ipython_extension(ipython):
    """Add a formatter for matplotlib figures."""
    from IPython.core.formatters import BaseFormatter, catch_format_error
    from traitlets import ObjectName, Unicode

    class Both(BaseFormatter):
        format_type = Unicode(MIME)
        print_method = ObjectName("_repr_both_")
        _return_type = dict

        @catch_format_error
        def __call__(self, shown):  # not by type: the inline backend takes every formatter of figures away when it starts
            return both(shown) if type(shown).__module__ == "matplotlib.figure" else None

    ipython.display_formatter.formatters[MIME] = Both(parent=ipython.display_formatter)


def both(figure):
    """Return a figure for dark pages and its description, as a dict that JSON can hold."""
    return {"dark": base64.b64encode(png(in_the_dark(figure))).decode("ascii"), "alt": describe(figure)}


def png(figure):
    """Return a figure as the bytes of a PNG with a transparent ground."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=SCALE * figure.dpi, bbox_inches="tight", transparent=True)
    return file.getvalue()


def in_the_dark(figure):
    """Return a copy of a figure whose ink is light."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    dark = copy.deepcopy(figure)
    on_pictures = {text for axes in dark.axes if axes.images for text in axes.texts}
    for artist in dark.findobj():
        if isinstance(artist, Text) and artist not in on_pictures:
            artist.set_color(turned(artist.get_color()))
        elif isinstance(artist, Line2D):
            artist.set_color(turned(artist.get_color()))
            artist.set_markerfacecolor(turned(artist.get_markerfacecolor()))
            artist.set_markeredgecolor(turned(artist.get_markeredgecolor()))
        elif isinstance(artist, Patch):
            face, edge = artist.get_facecolor(), artist.get_edgecolor()
            artist.set_facecolor(turned(face))
            artist.set_edgecolor(turned(edge))
        elif isinstance(artist, Collection) and artist.get_array() is None:
            faces, edges = artist.get_facecolor(), artist.get_edgecolor()
            artist.set_facecolor([turned(color) for color in faces])
            artist.set_edgecolor([turned(color) for color in edges])
    for axes in dark.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_tick_params(which="both", color=turned("black"), labelcolor=turned("black"))
    return dark


def turned(color):
    """Return a colour for dark paper: greys change places, other colours become a little lighter."""
    from matplotlib.colors import to_rgba

    if isinstance(color, str) and color.lower() == "none":
        return color
    *rgb, alpha = to_rgba(color)
    return (*turned_rgb(rgb), alpha)


def turned_rgb(rgb):
    """Do the same for three numbers from 0 to 1."""
    hue, light, saturation = colorsys.rgb_to_hls(*rgb)
    low, high = INK["dark"]
    if saturation < GREY or light > 0.93:
        return colorsys.hls_to_rgb(hue, high - light * (high - low), min(saturation, 0.3))
    if light > 0.75:  # a pale fill
        return colorsys.hls_to_rgb(hue, 0.26, saturation * 0.55)
    return colorsys.hls_to_rgb(hue, min(0.9, max(light, 0.62)), saturation)


def describe(figure):
    """Say what a figure shows: titles, axes, and where each curve begins and ends."""
    told = [text for text in (panel(axes) for axes in figure.axes if axes.get_visible()) if text]
    title = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    if len(told) > MOST:
        told = [*told[:MOST], f"and {len(told) - MOST} more panels"]
    head = f"{title}: " if title else f"{len(told)} panels. " if len(told) > 1 else ""
    return head + "; ".join(told) + "." if told else f"{title or 'An empty figure'}."


def panel(axes):
    """Say what one pair of axes shows."""
    parts = [picture(image) for image in axes.images[:1]]
    parts += lines(axes)
    bars = [patch for container in axes.containers for patch in container if hasattr(patch, "get_height")]
    if bars:
        heights = [bar.get_height() or bar.get_width() for bar in bars]
        parts.append(f"{len(bars)} bars from {number(min(heights))} to {number(max(heights))}")
    points = sum(len(made.get_offsets()) for made in axes.collections if hasattr(made, "get_sizes") and len(made.get_sizes()))
    parts += [f"{points} points"] if points else []
    if not parts and not axes.get_title():
        return ""
    scale = [f"{name}: {label}" for name, label in (("across", axes.get_xlabel()), ("up", axes.get_ylabel())) if label]
    title = plain(axes.get_title())
    return (f"“{title}”: " if title else "") + ", ".join([*parts, *scale] or ["a drawing"])


def picture(image):
    """Say how large a picture is."""
    height, width = image.get_array().shape[:2]
    return f"a picture of {width} by {height} pixels"


def lines(axes):
    """Say where each curve begins and ends."""
    curves = [line for line in axes.lines if len(line.get_ydata()) > 1]
    told = []
    for line in curves[:MOST]:
        label = "" if line.get_label().startswith("_") else plain(line.get_label())
        y = [float(value) for value in line.get_ydata()]
        if max(y) - min(y) == 0:
            told.append(f"{label or 'a level line'} at {number(y[0])}")
            continue
        turns = (
            ""
            if min(y[0], y[-1]) == min(y) and max(y[0], y[-1]) == max(y)
            else (f", between {number(min(y))} and {number(max(y))}")
        )
        told.append(f"{label or 'a curve'} from {number(y[0])} to {number(y[-1])}{turns}")
    return told + ([f"and {len(curves) - MOST} more curves"] if len(curves) > MOST else [])


def number(value):
    """Return a number with three digits."""
    return f"{float(value):.3g}"


def plain(text):
    """Return a text without TeX's signs, on one line."""
    return " ".join(text.replace("$", "").replace("\\", "").split())
