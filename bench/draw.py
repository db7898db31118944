"""Draws shapes as they are: exact coverage of pixels, without any drawing library's taste.

A canvas is a square of SIZE pixels, each of FINE × FINE parts. Within a part covered area adds up and stops at the whole, so
that what overlaps is drawn once, and what is smaller than a part still leaves its area.
"""

import numpy as np

SIZE, FINE = 512, 4
GRID = SIZE * FINE
# How many edges are worked on at once: bounds the memory.
CHUNK = 1_000_000


def polygons(points, starts):
    """Rings: `points` in pixels (y down), ring i from starts[i] to starts[i + 1]. Holes turn the other way round."""
    a, b = _edges(points, starts, closed=True)
    return _shrunk(np.clip(_coverage(a * FINE, b * FINE), 0, 1))


def lines(points, starts, width=1.0, closed=False):
    """Lines of some pixels' width: each stretch between two points is a rectangle."""
    a, b = _edges(points, starts, closed)
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    a, b, along, length = a[length > 0], b[length > 0], along[length > 0], length[length > 0]
    aside = np.stack([-along[:, 1], along[:, 0]], 1) / length[:, None] * (width / 2)
    corners = [a - aside, b - aside, b + aside, a + aside]
    begin = np.concatenate(corners)
    end = np.concatenate(corners[1:] + corners[:1])
    return _shrunk(np.clip(_coverage(begin * FINE, end * FINE), 0, 1))


def dots(points, radius=1.5):
    """Discs around points."""
    margin = int(np.ceil(radius)) * FINE
    side = GRID + 2 * margin
    at = np.floor(points * FINE).astype(np.int64) + margin
    at = at[((at >= 0) & (at < side)).all(1)]
    hits = np.zeros((side, side), np.float32)
    hits[at[:, 1], at[:, 0]] = 1
    offsets = np.fft.fftfreq(side, 1 / side)
    disc = (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= (radius * FINE) ** 2).astype(np.float32)
    drawn = np.fft.irfft2(np.fft.rfft2(hits) * np.fft.rfft2(disc), hits.shape) > 0.5
    return _shrunk(drawn[margin:-margin, margin:-margin].astype(np.float64))


def _edges(points, starts, closed):
    """Begin and end of each stretch."""
    following = np.arange(1, len(points) + 1)
    last = starts[1:] - 1
    following[last] = starts[:-1]
    wanted = np.ones(len(points), bool)
    if not closed:
        wanted[last] = False
    return points[wanted], points[following[wanted]]


def _shrunk(fine):
    return fine.reshape(SIZE, FINE, SIZE, FINE).mean((1, 3))


def _coverage(begin, end):
    """The signed area that rings cover of each part: every edge counts what lies to its right, row by row."""
    total = np.zeros(GRID * (GRID + 1))
    for at in range(0, len(begin), CHUNK):
        pieces = np.concatenate([begin[at:at + CHUNK], end[at:at + CHUNK]], 1)
        total += _chunk(pieces)
    return np.cumsum(total.reshape(GRID, GRID + 1), 1)[:, :GRID]


def _chunk(pieces):
    """Pieces are rows of x0, y0, x1, y1."""
    low, high = np.minimum(pieces[:, 1], pieces[:, 3]), np.maximum(pieces[:, 1], pieces[:, 3])
    left = np.minimum(pieces[:, 0], pieces[:, 2])
    pieces = pieces[(low < high) & (high > 0) & (low < GRID) & (left < GRID)]
    for axis in (1, 0):
        for border in (0, GRID):
            pieces = _split(pieces, axis, border)
    middle = (pieces[:, 1] + pieces[:, 3]) / 2
    pieces = pieces[(middle > 0) & (middle < GRID)]
    # What lies left of the canvas covers its rows from the first column; what lies right of it covers nothing.
    pieces[:, [0, 2]] = np.clip(pieces[:, [0, 2]], 0, GRID)
    pieces = _grid(_grid(pieces, 1), 0)
    height = pieces[:, 3] - pieces[:, 1]
    x = (pieces[:, 0] + pieces[:, 2]) / 2
    row = np.clip(np.floor((pieces[:, 1] + pieces[:, 3]) / 2), 0, GRID - 1).astype(np.int64)
    column = np.clip(np.floor(x), 0, GRID - 1).astype(np.int64)
    within = np.clip(x - column, 0, 1)
    place = row * (GRID + 1) + column
    size = GRID * (GRID + 1)
    # Going down an edge closes an area on its left: y-down rings of positive area have theirs on the other side.
    return (np.bincount(place, -height * (1 - within), size)
            + np.bincount(place + 1, -height * within, size))


def _split(pieces, axis, border):
    """Cuts in two what crosses a border."""
    a, b = pieces[:, axis] - border, pieces[:, axis + 2] - border
    crossing = a * b < 0
    whole, cut = pieces[~crossing], pieces[crossing]
    share = (a / (a - b + (a == b)))[crossing][:, None]
    middle = cut[:, :2] + (cut[:, 2:] - cut[:, :2]) * share
    middle[:, axis] = border
    return np.concatenate([whole, np.concatenate([cut[:, :2], middle], 1), np.concatenate([middle, cut[:, 2:]], 1)])


def _grid(pieces, axis):
    """Cuts at every whole number along an axis."""
    a, b = pieces[:, axis], pieces[:, axis + 2]
    low, high = np.minimum(a, b), np.maximum(a, b)
    first = np.floor(low)
    count = np.maximum(np.ceil(high) - first, 1).astype(np.int64)
    simple = count == 1
    whole, cut, first, count = pieces[simple], pieces[~simple], first[~simple], count[~simple]
    if not len(cut):
        return whole
    index = np.repeat(np.arange(len(cut)), count)
    turn = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    low, high = low[~simple][index], high[~simple][index]
    lower = np.maximum(first[index] + turn, low)
    upper = np.minimum(first[index] + turn + 1, high)
    base, span = cut[index], cut[index][:, axis + 2] - cut[index][:, axis]
    down = span < 0
    begin, end = np.where(down, upper, lower), np.where(down, lower, upper)
    other = 1 - axis
    slope = (base[:, other + 2] - base[:, other]) / span
    parts = np.empty_like(base)
    parts[:, axis], parts[:, axis + 2] = begin, end
    parts[:, other] = base[:, other] + (begin - base[:, axis]) * slope
    parts[:, other + 2] = base[:, other] + (end - base[:, axis]) * slope
    return np.concatenate([whole, parts])
