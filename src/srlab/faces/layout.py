"""The order of 68 landmarks (Multi-PIE's, of iBUG 300-W; Sagonas et al., ICCV workshops 2013, figure 1), counted from 0.

Left and right are the picture's: jaw 0 to 16 from left to right, brows 17 to 21 and 22 to 26, the nose's bridge 27 to 30
and its base 31 to 35, eyes 36 to 41 and 42 to 47, the mouth's outline 48 to 59, and that of its opening 60 to 67.
"""

POINTS = 68

JAW = tuple(range(17))
LEFT_BROW, RIGHT_BROW = tuple(range(17, 22)), tuple(range(22, 27))
BRIDGE, NOSE_BASE = tuple(range(27, 31)), tuple(range(31, 36))
LEFT_EYE, RIGHT_EYE = tuple(range(36, 42)), tuple(range(42, 48))
MOUTH = tuple(range(48, 68))
OPENING = tuple(range(60, 68))
UPPER_LIP = (*range(48, 55), 64, 63, 62, 61, 60)
LOWER_LIP = (*range(54, 60), 48, 60, 67, 66, 65, 64)

EYE_CORNERS = (36, 45)
"""The outer ones, whose distance is the unit of landmark errors ("inter-ocular", as 300-W has it)."""

COMPONENTS = {
    "left eye": LEFT_EYE,
    "right eye": RIGHT_EYE,
    "nose": BRIDGE + NOSE_BASE,
    "mouth": MOUTH,
    "outline": JAW + LEFT_BROW + RIGHT_BROW,
}
"""The five parts of a face by which DIC attends (Ma et al., CVPR 2020, section 3.3)."""

_MIRRORED_PARTS = (
    (JAW, JAW[::-1]),
    (LEFT_BROW, RIGHT_BROW[::-1]),
    (RIGHT_BROW, LEFT_BROW[::-1]),
    (BRIDGE, BRIDGE),
    (NOSE_BASE, NOSE_BASE[::-1]),
    (LEFT_EYE, (45, 44, 43, 42, 47, 46)),
    (RIGHT_EYE, (39, 38, 37, 36, 41, 40)),
    (range(48, 55), range(54, 47, -1)),
    (range(55, 60), range(59, 54, -1)),
    (range(60, 65), range(64, 59, -1)),
    (range(65, 68), range(67, 64, -1)),
)
PERMUTATION_68 = tuple(
    dict(pair for parts in _MIRRORED_PARTS for pair in zip(*parts, strict=True))[i] for i in range(POINTS)
)
"""In a mirrored face, point i is what was point PERMUTATION_68[i]."""
