"""Where a part stands in the survey *Deep Learning for Image Super-resolution* (Wang, Chen, Hoi; arXiv 1902.06068)."""

from torch import nn

from srlab.networks.network import Network

FRAMEWORKS = {
    "PreUpsampling": "pre-upsampling",
    "PostUpsampling": "post-upsampling",
    "AnyScale": "post-upsampling",
    "ScaleSpecific": "post-upsampling",
    "Progressive": "progressive upsampling",
    "Iterative": "iterative up-and-down sampling",
    "PixelRecursive": "post-upsampling",
    "AttentionFH": "pre-upsampling",
    "Interpolation": "none (training-free)",
    "Expansion": "none (training-free)",
    "Pansharpening": "none (training-free)",
    "HyperPNN": "pre-upsampling",
    "PanNet": "pre-upsampling",
    "SSPSR": "progressive upsampling",
    "MHFNet": "iterative up-and-down sampling",
    "NoisePrior": "none (prior)",
    "DCTNet": "pre-upsampling",
    "FDKN": "pre-upsampling",
    "FDSR": "pre-upsampling",
    "MSGNet": "progressive upsampling",
    "GuidedFilter": "none (training-free)",
    "JointBilateral": "none (training-free)",
    "JointBilateralUpsampling": "none (training-free)",
    "GlobalSmoother": "none (training-free)",
    "GuidedDiffusion": "none (training-free)",
    "SPARNet": "pre-upsampling",
    "FSRNet": "pre-upsampling",
    "DIC": "iterative up-and-down sampling",
    "BasicVSR": "post-upsampling",
    "FRVSR": "post-upsampling",
    "VESPCN": "post-upsampling",
    "TDAN": "post-upsampling",
    "MultiFrameBackProjection": "none (training-free)",
    "FrameBefore": "none (training-free)",
}
"""Section 3.1."""

UPSAMPLERS = {
    "SubPixel": "sub-pixel layer",
    "Transposed": "transposed convolution",
    "ResidualTransposed": "transposed convolution",
    "Meta": "meta upscale module",
    "Interpolated": "interpolation",
}
"""Section 3.2."""

DESIGNS = {
    "SRCNN": "plain convolutions",
    "FSRCNN": "plain convolutions",
    "ESPCN": "plain convolutions",
    "VDSR": "residual (global)",
    "EDSR": "residual (local)",
    "SRResNet": "residual (local)",
    "EnhanceNet": "residual (local)",
    "WDSR": "residual (local), wide activation",
    "RRDBNet": "residual (local), dense",
    "RCAN": "channel attention",
    "SRDenseNet": "dense",
    "RDN": "dense, residual (local)",
    "ProSR": "dense, residual (local)",
    "DRCN": "recursive",
    "DRRN": "recursive, residual (local)",
    "MemNet": "recursive, dense",
    "LapSRN": "residual (global)",
    "MSLapSRN": "recursive, residual (local)",
    "DBPN": "dense",
    "BackProjection": "dense",
    "SRFBN": "recursive, dense",
    "DSRN": "recursive, multi-path (global)",
    "MSRN": "multi-path (local)",
    "CARN": "grouped convolution, dense",
    "IMDN": "multi-path (local), channel attention",
    "IRCNN": "dilated convolution",
    "PyramidPooled": "pyramid pooling",
    "DWSR": "wavelet transformation",
    "MWCNN": "wavelet transformation",
    "Hourglass": "multi-path (global)",
    "SwinIR": "beyond the survey: window attention",
}
"""Section 3.3."""

WHOLE = {
    "PixelRecursive": "pixel-recursive",
    "AttentionFH": "region-recursive (attention)",
    "Interpolation": "none",
    "DCTNet": "residual (local), multi-path (global); section 6.1: an optimisation layer",
    "FDKN": "multi-path (global); section 6.1: deformable kernels",
    "FDSR": "residual (local), dilated convolution, multi-path (global); section 6.1: octave convolutions",
    "MSGNet": "residual (global), multi-path (global)",
    "GuidedFilter": "none",
    "JointBilateral": "none",
    "JointBilateralUpsampling": "none",
    "GlobalSmoother": "none",
    "GuidedDiffusion": "none",
    "Expansion": "none",
    "Pansharpening": "none",
    "HyperPNN": "residual (global)",
    "SSPSR": "residual (local), channel attention, grouped bands",
    "MHFNet": "residual (local), multi-path (global); section 6.3: an unrolled optimisation",
    "SPARNet": "residual (local), multi-path (global); section 6.2: attention without labels",
    "FSRNet": "residual (local), multi-path (global); section 6.2: landmarks and parts, estimated",
    "DIC": "recursive, dense; section 6.2: landmarks, estimated",
    "BasicVSR": "residual (local); section 6.5: frames by recurrence both ways, warped features",
    "FRVSR": "residual (local); section 6.5: frames by recurrence, warped results",
    "VESPCN": "plain convolutions; section 6.5: explicit motion compensation",
    "TDAN": "residual (local); section 6.5: deformable alignment",
    "MultiFrameBackProjection": "none; section 6.5: explicit motion compensation",
    "FrameBefore": "none; section 6.5: explicit motion compensation",
}
"""Frameworks that are a design of section 3.3 by themselves."""

ELSEWHERE = "not in the survey"


def place(network: Network) -> tuple[str, str, str]:
    """A network's framework, upsampling and design, in the survey's words."""
    backbone, upsampler = (getattr(network, part, None) for part in ("backbone", "upsampler"))
    design = known(DESIGNS, backbone)
    whole = WHOLE.get(type(network).__name__)
    if whole is not None:
        design = whole if backbone is None else f"{whole}, {design}"
    if type(network).__name__ == "ScaleSpecific":
        design += ", multi-path (scale-specific)"
    upsampling = known(UPSAMPLERS, upsampler or found(network))
    if type(network).__name__ in {"BasicVSR", "TDAN", "VESPCN"}:
        upsampling = UPSAMPLERS["SubPixel"]
    if type(network).__name__ in {"FRVSR", "MSGNet", "MHFNet"}:
        upsampling = UPSAMPLERS["Transposed"]
    if FRAMEWORKS.get(type(network).__name__) in {"pre-upsampling", "none (training-free)"}:
        upsampling = "interpolation"
    elif FRAMEWORKS.get(type(network).__name__) == "none (prior)":
        upsampling = "none (an image out of noise)"
    return known(FRAMEWORKS, network), upsampling, design


def found(network: nn.Module) -> nn.Module | None:
    """An upsampler anywhere in the network: pyramids and iterations hold several."""
    return next((part for part in network.modules() if type(part).__name__ in UPSAMPLERS), None)


def known(names: dict[str, str], part: nn.Module | None) -> str:
    """The survey's word for a part, or for the nearest class that it extends."""
    return next((names[kind.__name__] for kind in type(part).__mro__ if kind.__name__ in names), ELSEWHERE)
