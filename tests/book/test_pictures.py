"""Pictures of the book: two shades of each, in words too, and diagrams whose words can be read on both kinds of paper."""

import base64
import io
import json
import re

import pytest

from tito import workspace
from tito.book import diagrams, figures, page, svg
from tito.curriculum import load
from tito.notebooks import source

PAPER = {"light": "#ffffff", "dark": "#121212"}
COURSE = load(workspace.course_dir() / workspace.MANIFEST)


@pytest.fixture
def chart():
    figure = pytest.importorskip("matplotlib.figure", reason="the extra `notebook` is not installed").Figure()
    axes = figure.subplots(1, 2)
    axes[0].plot([0, 1, 2], [3, 1, 2], color="black", label="loss")
    axes[0].set(title="Training", xlabel="epoch")
    axes[1].imshow([[0.0, 1.0], [1.0, 0.0]], cmap="gray")
    return figure


def test_a_dark_figure_has_light_ink_and_the_same_pictures(chart):
    from matplotlib.colors import to_rgb

    dark = figures.in_the_dark(chart)
    line, title = dark.axes[0].lines[0], dark.axes[0].title
    ticks = dark.axes[0].get_xticklabels()
    for ink in (line.get_color(), title.get_color(), *(tick.get_color() for tick in ticks)):
        assert min(to_rgb(ink)) > 0.6
    assert (dark.axes[1].images[0].get_array() == chart.axes[1].images[0].get_array()).all()
    assert dark.axes[1].images[0].get_cmap().name == "gray"
    assert chart.axes[0].lines[0].get_color() == "black"  # the original is as it was


def test_a_description_names_the_panels_and_where_curves_go(chart):
    assert figures.describe(chart) == (
        "2 panels. “Training”: loss from 3 to 2, between 1 and 3, across: epoch; a picture of 2 by 2 pixels."
    )


def test_a_pages_pictures_become_two_files_each_with_the_description(chart):
    buffer = io.BytesIO()
    chart.savefig(buffer, format="png")
    light = base64.b64encode(buffer.getvalue()).decode()
    output = {"output_type": "display_data", "data": {"image/png": light, figures.MIME: figures.both(chart)}, "metadata": {}}
    drawing = {"output_type": "display_data", "data": {"image/svg+xml": "<svg><text>x = 3</text></svg>"}, "metadata": {}}
    document, files = {"cells": [{"outputs": [output, drawing]}]}, {}
    page.take_pictures(document, "09_charts", files)
    assert [name.rpartition("/")[2] for name in files] == [
        "09_charts-01-light.png",
        "09_charts-01-dark.png",
        "09_charts-03-light.svg",
        "09_charts-03-dark.svg",
    ]
    assert output["data"]["text/html"].count("loss from 3 to 2") == 2 and "tt-dark" in output["data"]["text/html"]
    assert 'alt="Drawing: x = 3"' in drawing["data"]["text/html"]


def test_every_place_of_a_diagram_is_in_its_module_and_shows_it_once():
    shown = []
    for module in COURSE.modules:
        if workspace.is_to_come(module):
            continue
        cells = json.loads(page.text(source.read(workspace.course_source(module))))["cells"]
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        shown += [(module.folder, name) for name in re.findall(rf"\]\(\.\./{diagrams.FOLDER}/([\w-]+)\.svg\)", prose)]
    assert shown == [(module, name) for (module, _), name in diagrams.PLACES.items()]


def test_a_diagram_takes_the_place_of_a_drawing_in_characters(course):
    course.write("01_shapes/shapes.py", "# %% [markdown]\n# ## Sides\n#\n# Look:\n#\n# ```\n# +--+\n# ```\n#\n# A side.\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagrams, "PLACES", {("01_shapes", "## Sides"): "tiles"})
        (cell,) = json.loads(page.text(source.read(course.root / "modules" / "01_shapes" / "shapes.py")))["cells"]
    text = "".join(cell["source"])
    assert "+--+" not in text and text.index("Look:") < text.index("tiles.svg") < text.index("A side.")


@pytest.mark.parametrize("name", diagrams.ALL)
@pytest.mark.parametrize("shade", PAPER)
def test_the_words_of_a_diagram_can_be_read_and_are_on_the_sheet(name, shade):
    text = str(diagrams.ALL[name]())
    shown = svg.darkened(text) if shade == "dark" else text
    width, height = map(float, re.search(r'width="([\d.]+)" height="([\d.]+)"', shown).groups())
    assert width <= 520 and len(svg.words(text)) > 60
    words = re.findall(
        r'<text x="([\d.]+)" y="([\d.]+)" font-size="([\d.]+)" text-anchor="(\w+)" style="fill:(#\w+)"[^>]*>(.*?)<', shown
    )
    assert words
    for x, y, size, anchor, colour, word in words:
        span = 0.56 * float(size) * len(word)
        left = float(x) - {"start": 0, "middle": span / 2, "end": span}[anchor]
        assert left > -6 and left + span < width + 12 and float(size) <= float(y) + 4 <= height + 4, word
        assert float(size) >= 11 and contrast(colour, PAPER[shade]) >= 4.5, (word, colour)


def contrast(first, second):
    """Return the contrast of two colours, as WCAG defines it."""

    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted(map(luminance, (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
