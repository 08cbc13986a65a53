"""Drawings of a watched run: which thread goes where in memory, which bank serves whom, who waits for whom. Given."""

from collections import Counter

from tinytorch.given.gpu.report import BANK, BANKS, SECTOR, WARP, entry, sectors_of, ways

INK, PALE, COLOURS = "#333333", "#dddddd", ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")


class Drawing(str):
    """SVG text that a notebook shows as a picture."""

    def _repr_svg_(self):
        return str(self)


def svg(width, height, parts, label):
    """Return a drawing of its parts; ``label`` says in words what it shows."""
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="11">'
    paper = f'<rect width="{width}" height="{height}" fill="white"/>'
    return Drawing("\n".join([head, f"<title>{escaped(label)}</title>", paper, *parts, "</svg>"]))


def escaped(text):
    """Return text as SVG wants it."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def box(x, y, width, height, colour, tip=""):
    """Return a rectangle that shows a text under the mouse."""
    inside = f"<title>{escaped(tip)}</title>" if tip else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}" stroke="white">{inside}</rect>'


def words(x, y, text):
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" fill="{INK}">{escaped(text)}</text>'


def first_group(report, name, kind, space):
    """Return the accesses of the first warp at the first moment at which it goes to an array.

    Raises:
        ValueError: There is none.
    """
    groups = [group for group in report.by_warp(space, name) if group[0].kind == kind]
    if not groups:
        raise ValueError(f"{report.run.kernel.__name__} has no {kind} of {name} in {space} memory to draw")
    return max(groups, key=len)


def draw_sectors(report, name, kind="read"):
    """Draw where in memory the threads of one warp go at one moment.

    Args:
        report: What `watch` returned.
        name: Name of an argument of the kernel.
        kind: ``"read"`` or ``"write"``.

    Returns:
        `Drawing`: a row of threads, and below it the sectors of 32 bytes that are moved for them.
    """
    group = first_group(report, name, kind, "global")
    _, touched, fewest = sectors_of(group)
    touched, size = sorted(touched), group[0].array.dtype.itemsize
    per, across = SECTOR // size, 640
    wide = min(across / len(touched), across / 4)
    parts = [words(10, 18, f"warp {group[0].thread // WARP}, line {group[0].line}: {kind} of {name}")]
    for access in group:
        lane, sector = access.thread % WARP, access.offset // SECTOR
        column = touched.index(sector)
        colour = COLOURS[column % len(COLOURS)]
        x, below = 10 + lane * 20, 10 + wide * (column + (access.offset % SECTOR // size + 0.5) / per)
        parts.append(f'<line x1="{x + 9}" y1="44" x2="{below:g}" y2="96" stroke="{colour}" stroke-width="1"/>')
        parts.append(box(x, 28, 18, 16, colour, f"thread {access.thread}: {entry(access)}"))
    used = {(access.offset // SECTOR, access.offset % SECTOR // size) for access in group}
    for column, sector in enumerate(touched):
        for word in range(per):
            colour = COLOURS[column % len(COLOURS)] if (sector, word) in used else PALE
            parts.append(
                box(
                    10 + wide * (column + word / per), 96, max(wide / per, 1), 16, colour, f"byte {sector * SECTOR + word * size}"
                )
            )
    parts.append(words(10, 132, f"{len(touched)} sectors of 32 bytes are moved; {fewest} would do"))
    return svg(660, 142, parts, f"{kind} of {name}: {len(touched)} sectors")


def draw_banks(report, name, kind="read"):
    """Draw which banks of shared memory serve the threads of one warp at one moment.

    Args:
        report: What `watch` returned.
        name: Name of a shared array in the kernel.
        kind: ``"read"`` or ``"write"``.

    Returns:
        `Drawing`: a column for each bank; one column with several coloured words takes as many turns.
    """
    groups = [group for group in report.by_warp("shared", name) if group[0].kind == kind]
    if not groups:
        first_group(report, name, kind, "shared")
    group = max(groups, key=ways)
    accessed = sorted({access.offset // BANK for access in group})
    busy = Counter(word % BANKS for word in accessed)
    rows = sorted({word // BANKS for word in accessed})
    parts = [words(10, 18, f"line {group[0].line}: {kind} of {name}, the 32 banks from left to right")]
    for access in group:
        word = access.offset // BANK
        colour = COLOURS[0] if busy[word % BANKS] == 1 else COLOURS[1]
        parts.append(
            box(
                10 + 20 * (word % BANKS),
                28 + 12 * rows.index(word // BANKS),
                18,
                11,
                colour,
                f"thread {access.thread}: {entry(access)}",
            )
        )
    height = 28 + 12 * len(rows)
    turns = ways(group)
    parts.append(words(10, height + 16, f"{turns} turn{'s' * (turns > 1)} for one access of the warp"))
    return svg(660, height + 26, parts, f"banks of {name}: {turns} turns")


def draw_timeline(report, block=(0, 0, 0), threads=16):
    """Draw when the threads of a block work, and where they wait for each other.

    Args:
        report: What `watch` returned.
        block: Position of the block.
        threads: How many threads to draw.

    Returns:
        `Drawing`: a row for each thread, a vertical line for each barrier; long boxes are many accesses to memory.
    """
    work = Counter((access.thread, access.phase) for access in report.accesses if access.block == block)
    lines = report.barriers[block]
    longest = [max([work[thread, phase] for thread in range(len(report.run.threads))] + [1]) for phase in range(len(lines) + 1)]
    scale, parts, x = (
        600 / sum(longest),
        [words(10, 14, f"block {block}: threads from top to bottom, time from left to right")],
        10,
    )
    shown = min(threads, len(report.run.threads))
    for phase, length in enumerate(longest):
        for thread in range(shown):
            wide = work[thread, phase] * scale
            if wide:
                parts.append(
                    box(x, 22 + 10 * thread, wide, 8, COLOURS[phase % 2], f"thread {thread}: {work[thread, phase]} accesses")
                )
        x += length * scale
        if phase < len(lines):
            tip = f"<title>barrier, line {lines[phase]}</title>"
            parts.append(f'<line x1="{x:g}" y1="20" x2="{x:g}" y2="{22 + 10 * shown}" stroke="{INK}">{tip}</line>')
            x += 4
    return svg(660, 34 + 10 * shown, parts, f"timeline of block {block}: {len(lines)} barriers")
