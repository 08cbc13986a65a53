"""Digits and probabilities in a terminal."""

import numpy as np

SHADES = " .:-=+*#%@"
HALF = "▀"


def digit(image, plain):
    """Return a digit as lines of text: in a terminal two pixels a character, in plain ASCII one shade a pixel.

    Args:
        image: uint8, (28, 28).
        plain: Whether the output is plain ASCII.
    """
    if plain:
        shades = np.array(list(SHADES))[(image.astype(int) * (len(SHADES) - 1) + 127) // 255]
        return ["".join(row).rstrip() for row in shades]
    pairs = zip(image[0::2].tolist(), image[1::2].tolist())
    return ["".join(cell(*pixels) for pixels in zip(*pair)) + "\x1b[0m" for pair in pairs]


def cell(above, below):
    """Return a character whose upper and lower half have these shades of grey."""
    grey = [232 + round(23 * value / 255) for value in (above, below)]  # a terminal's 24 shades
    return f"\x1b[38;5;{grey[0]};48;5;{grey[1]}m{HALF}"


def bars(chances, width=30):
    """Return a line for each class: its name, its probability, and a bar."""
    return [f"{number}  {100 * chance:5.1f} %  {'#' * round(width * chance)}" for number, chance in enumerate(chances)]


def activations(values):
    """Return numbers as shades, from the lowest, a space, to the highest, an @."""
    low, high = float(values.min()), float(values.max())
    places = ((values - low) / max(high - low, 1e-9) * (len(SHADES) - 1)).round().astype(int)
    return "".join(SHADES[place] for place in places)
