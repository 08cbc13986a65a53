"""The strokes of ten digits in a box of width and height 1, y downwards, as a hand writes them. Fixed before they were ever recognised."""

import math


def arc(x, y, rx, ry, start, end, count=24):
    """Return points on an ellipse, from one angle to another, in degrees; 0 is right, 90 is down."""
    angles = [math.radians(start + (end - start) * i / count) for i in range(count + 1)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


STROKES = {
    0: [arc(0.5, 0.5, 0.32, 0.48, -80, 285)],
    1: [[(0.42, 0.18), (0.55, 0.02), (0.52, 0.98)]],
    2: [[*arc(0.5, 0.28, 0.34, 0.27, -165, 35), (0.45, 0.72), (0.12, 0.97), (0.4, 0.93), (0.9, 0.96)]],
    3: [[*arc(0.45, 0.26, 0.33, 0.25, -150, 88), *arc(0.45, 0.73, 0.38, 0.25, -88, 155)]],
    4: [[(0.3, 0.03), (0.14, 0.55), (0.88, 0.53)], [(0.72, 0.12), (0.64, 0.98)]],
    5: [[(0.3, 0.04), (0.24, 0.44), *arc(0.46, 0.69, 0.34, 0.28, -120, 150)], [(0.3, 0.04), (0.86, 0.03)]],
    6: [[(0.66, 0.02), (0.34, 0.34), (0.2, 0.68), *arc(0.48, 0.73, 0.29, 0.24, -190, 175)]],
    7: [[(0.1, 0.08), (0.9, 0.05), (0.56, 0.5), (0.36, 0.98)]],
    8: [[*arc(0.5, 0.25, 0.27, 0.23, -60, -275), *arc(0.5, 0.73, 0.33, 0.25, -85, 265), (0.68, 0.12)]],
    9: [[*arc(0.48, 0.28, 0.3, 0.26, -20, -340), (0.77, 0.2), (0.72, 0.6), (0.62, 0.98)]],
}
