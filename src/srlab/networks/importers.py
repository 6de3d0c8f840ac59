"""Weight files as other code bases lay them out, renamed to our compositions.

A layout is recognised by its keys and shapes. Where a file's convention differs from ours in range or colour, its
`convert` absorbs the difference into the weights, so that the network itself stays the same.
"""

from srlab.networks.importers_attention import ATTENTION
from srlab.networks.importers_dense import DENSE
from srlab.networks.importers_guided import GUIDED
from srlab.networks.importers_plain import PLAIN
from srlab.networks.importers_pyramid import PYRAMID
from srlab.networks.importers_recursive import RECURSIVE
from srlab.networks.importers_residual import RESIDUAL
from srlab.networks.importers_wavelet import WAVELET
from srlab.networks.layout import Layout, State


def layout_of(state: State) -> Layout | None:
    """The layout that a file has, if it is a known one."""
    return next((layout for layout in LAYOUTS if layout.matches(state)), None)


LAYOUTS = (*PLAIN, *ATTENTION, *RESIDUAL, *DENSE, *RECURSIVE, *PYRAMID, *WAVELET, *GUIDED)
