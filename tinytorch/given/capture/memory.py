"""Place arrays that live at different times in the same memory. Given."""

ALIGNED = 64  # bytes: a line of the cache


def plan(buffers):
    """Give each buffer an offset, so that buffers which are needed at the same time do not overlap.

    The largest come first; each goes to the lowest place that is free during its whole life.

    Args:
        buffers: Dict from a name to (bytes, first, last): the entries of the tape between which the buffer is needed.

    Returns:
        Dict from the name to its offset in bytes, and the number of bytes in all.

    Example:
        >>> plan({"a": (100, 0, 1), "b": (64, 1, 2), "c": (100, 2, 3)})
        ({'a': 0, 'c': 0, 'b': 128}, 192)

    Source:
        Pisarchyk and Lee, Efficient memory management for deep neural net inference, 2020, section 4.
    """
    placed, offsets = [], {}
    for name in sorted(buffers, key=lambda name: -buffers[name][0]):
        size, first, last = buffers[name]
        size = -(-size // ALIGNED) * ALIGNED
        offset = 0
        for low, high, start, end in sorted(placed):
            if start <= last and end >= first:  # both are needed at some time
                if offset + size <= low:
                    break
                offset = max(offset, high)
        placed.append((offset, offset + size, first, last))
        offsets[name] = offset
    return offsets, max([high for _, high, _, _ in placed], default=0)
