"""Damage to files, drawn at random."""

import struct


def damaged(data, rng):
    """Return the data with some bytes changed, cut, repeated or replaced by a large number, most often near the front."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        reach = int(rng.choice([16, 64, 600, len(data)]))
        place, kind = int(rng.integers(0, max(1, min(reach, len(data))))), rng.integers(0, 6)
        if kind == 0:
            data[place : place + 1] = bytes([rng.integers(0, 256)])
        elif kind == 1 and place < len(data):
            data[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            del data[place:]
        elif kind == 3:
            size = (2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, int(rng.integers(0, 10**6)))[rng.integers(0, 5)]
            data[place : place + 8] = struct.pack("<Q", size)
        elif kind == 4:
            data[place:place] = data[place : place + int(rng.integers(1, 40))]
        else:
            digits = [at for at in range(min(len(data), 600)) if chr(data[at]) in '0123456789[]{}":,']
            if digits:
                data[int(rng.choice(digits))] = int(rng.choice(list(b'0123456789[]{}":,-.eE')))
    return bytes(data)
