"""What can be typed. This is a contract: others script against it."""

from __future__ import annotations

import argparse
from typing import Any

from napari_slicegan import __version__
from napari_slicegan.cli.settings import settings_help
from napari_slicegan.core.choices import OutputKind, Precision
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.output.formats import SUFFIXES
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.sample_models import model_path

PROGRAM = "napari-slicegan"
_DEVICES = ("auto", "cpu", "cuda", "mps")
_AXES = "zyx"
_TARGET_ERROR = 0.05
_SAMPLES = "a name like sample:cathode for one that comes with the package"
_DEMO_MINUTES = 4.0  # with start, volume and figure the demo then takes less than five


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `command` and `debug` are always in what it gives."""
    parser = _Parser(
        prog=PROGRAM,
        description="Grow a 3D volume from a 2D micrograph with SliceGAN.",
        epilog=f"Start with: {PROGRAM} demo",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    adders = (_add_demo, _add_train, _add_generate, _add_compare, _add_check, _add_reproduce, _add_info, _add_import)
    for add in adders:
        add(commands).add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser that keeps line breaks and takes no abbreviations, which later options would break."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> Any:
        """Name the problem and where help is, in two lines."""
        self.exit(2, f"{PROGRAM}: {message}\nTry: {self.prog} --help\n")


def _add_demo(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="train, generate and compare, in about five minutes",
        description="Train on a micrograph that comes with the package (or on yours), generate a\n"
        "volume of 128 x 128 x 128 voxels, and show both side by side.",
    )
    parser.add_argument(
        "--image",
        nargs="+",
        metavar="FILE",
        help="one, two or three images to train on instead of the package's own",
    )
    parser.add_argument("--out", default="slicegan-demo", metavar="DIR", help="new directory (%(default)s)")
    parser.add_argument(
        "--minutes",
        type=float,
        default=_DEMO_MINUTES,
        metavar="M",
        help="minutes of training (%(default)g)",
    )
    return parser


def _add_train(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train on one, two or three micrographs",
        description="Train on one image (isotropic), on two (first the plane normal to the special\n"
        "axis, then a side view with that axis down its rows), on three (planes normal\n"
        "to z, y and x; rows and columns are the other two axes in this order), or on\n"
        "one 3D stack. With --resume, a RUN that holds its images needs none. Ctrl-C stops\n"
        "and saves.",
        epilog=settings_help(),
    )
    parser.add_argument("--out", required=True, metavar="RUN", help="directory of the run")
    _add_images(parser, "*")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="settings (quick; paper where there is a GPU)")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--iterations", type=int, metavar="N", help="generator updates from the start of the run")
    end.add_argument("--minutes", type=float, metavar="M", help="minutes of training from the start of the run")
    parser.add_argument("--seed", type=int, metavar="S", help="seed of the training")
    parser.add_argument("--resume", action="store_true", help="go on with the run, or start it if there is none")
    parser.add_argument(
        "--start-from",
        type=_model,
        metavar="MODEL",
        help="model, checkpoint or RUN of the same networks, whose weights to begin with",
    )
    _add_device(parser)
    parser.add_argument(
        "--devices",
        type=int,
        default=0,
        metavar="N",
        help="train with N processes, each with a graphics card or a part of the processor's cores",
    )
    parser.add_argument("--config", metavar="FILE.toml", help="file with settings")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="one setting; repeatable")
    return parser


def _add_generate(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "generate",
        help="generate a volume with a trained model",
        description="Generate a box of the endless volume that a seed defines, straight to the disk.\n"
        f"The ending of FILE says the format: {', '.join(SUFFIXES)}.\n"
        "Ctrl-C keeps what is done for --resume.",
    )
    parser.add_argument("model", type=_model, metavar="MODEL", help=f"model file, checkpoint or RUN, or {_SAMPLES}")
    parser.add_argument(
        "--shape",
        nargs=3,
        type=int,
        required=True,
        metavar=("Z", "Y", "X"),
        help="voxels along each axis",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="new file; {seed} in it stands for the seed")
    parser.add_argument(
        "--seed", nargs="+", type=int, default=[0], metavar="S", help="which volume, or several of them (0)"
    )
    parser.add_argument(
        "--origin",
        nargs=3,
        type=int,
        default=[0, 0, 0],
        metavar=("Z", "Y", "X"),
        help="where in the endless volume the box begins (0 0 0)",
    )
    parser.add_argument(
        "--periodic",
        type=_axes,
        default="",
        metavar="z,y,x",
        help="axes along which the volume repeats without a seam",
    )
    parser.add_argument("--resume", action="store_true", help="go on where it stopped, or start if there is nothing")
    parser.add_argument(
        "--precision",
        choices=tuple(Precision),
        default=Precision.EXACT,
        help="fast computes in 16 bits, auto does where the processor can by itself (%(default)s)",
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster that makes the volume")
    parser.add_argument(
        "--surface", nargs=2, metavar=("PHASE", "FILE.stl"), help="write the surface of a phase, too; or FILE.ply"
    )
    _add_device(parser)
    return parser


def _add_compare(commands: Any) -> argparse.ArgumentParser:
    default = ComparisonConfig()
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="tell how far volumes differ from the micrograph",
        description="Compare volumes with the images that they were made from, or with a true volume,\n"
        "in many statistics, each difference beside its uncertainty. Images as in train.",
    )
    _add_images(parser)
    parser.add_argument(
        "--volume",
        nargs="+",
        type=_model,
        required=True,
        metavar=("FILE|MODEL", "FILE"),
        help="volumes to judge, or one model or RUN, which then makes some",
    )
    parser.add_argument("--seeds", type=int, metavar="N", help=f"volumes that the model makes ({default.seeds})")
    parser.add_argument(
        "--shape",
        nargs=3,
        type=int,
        metavar=("Z", "Y", "X"),
        help=f"voxels along each axis of the volumes that the model makes ({' '.join(map(str, default.shape))})",
    )
    parser.add_argument(
        "--without-slow", action="store_true", help="leave out local thickness and diffusivity, which take the longest"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    parser.add_argument(
        "--report", metavar="DIR", help="new directory for a page with figures, a table and the numbers"
    )
    _add_device(parser)
    return parser


def _add_check(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="tell whether an image will do, before training",
        description="Look at images before hours of training are spent on them: are they large enough,\n"
        "well segmented, alike in all directions? Images as in train.",
    )
    _add_images(parser)
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), default="quick", help="whose crops to ask for (%(default)s)"
    )
    parser.add_argument(
        "--target-error",
        type=float,
        default=_TARGET_ERROR,
        metavar="E",
        help="relative error of the worst-known phase's fraction that the image should allow (%(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    return parser


def _add_reproduce(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "reproduce",
        help="make a model or a volume again, and tell whether it is the same",
        description="Make a volume, or train a model, again as FILE says that it was made, and compare\n"
        "both bit for bit. Exit code 0: identical, 3: not identical.",
    )
    parser.add_argument("file", metavar="FILE", help="volume, model file, checkpoint or RUN")
    _add_images(parser, "*", "image that a model was trained on, where its RUN does not hold it; as in train")
    parser.add_argument("--model", type=_model, metavar="MODEL", help="model that made a volume, where it is not near")
    parser.add_argument(
        "--start-from", type=_model, metavar="FILE", help="model or checkpoint whose weights the training began with"
    )
    parser.add_argument("--out", metavar="FILE", help="new file for what is made again; else it is not kept")
    _add_device(parser, None, "where to compute (where FILE says that it was made)")
    return parser


def _add_info(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "info",
        help="show what a model, a run, an image or a preset is",
        description="Show what is in a model file, a RUN or an image, or all settings of a preset\n"
        f"({' or '.join(PRESETS)}).",
    )
    parser.add_argument("what", type=_model, metavar="MODEL|RUN|IMAGE", help="file, directory or preset")
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    return parser


def _add_import(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="turn a generator of the published code or of MicroLib into a model",
        description="Turn a generator of the published code of SliceGAN or of MicroLib into a model\n"
        "file. Nothing in its files is executed.",
    )
    parser.set_defaults(command="importing")  # no module can be called like the word of the language
    parser.add_argument("generator", metavar="GENERATOR", help="its weights, NAME_Gen.pt")
    parser.add_argument(
        "parameters", nargs="?", metavar="PARAMS", help="its list of layers, NAME_params.data (as published)"
    )
    parser.add_argument("--out", required=True, metavar="MODEL", help="new file that ends in .safetensors")
    parser.add_argument("--kind", choices=tuple(OutputKind), help="what a voxel is (grey for one channel, else phases)")
    parser.add_argument(
        "--phases", nargs="+", type=int, default=[], metavar="V", help="label of each phase, ascending (0 1 ...)"
    )
    _add_pixel_size(parser, "size of a voxel")
    return parser


def _add_images(parser: argparse.ArgumentParser, count: str = "+", what: str = "TIFF, PNG, JPEG or NPY file") -> None:
    parser.add_argument("image", nargs=count, metavar="IMAGE", help=what)
    parser.add_argument(
        "--kind",
        choices=("auto", *OutputKind),
        default="auto",
        help="what a pixel is; auto takes at most 8 whole values for phases",
    )
    parser.add_argument("--axis", choices=tuple(_AXES), default="z", help="special axis of two images (%(default)s)")
    parser.add_argument(
        "--crop",
        nargs=4,
        type=int,
        metavar=("Y0", "X0", "Y1", "X1"),
        help="part of the images to use, in pixels, without row Y1 and column X1",
    )
    parser.add_argument(
        "--shrink",
        type=int,
        default=1,
        metavar="K",
        help="make each K x K pixels one, of the mean or the most frequent phase, for large structures (%(default)s)",
    )
    _add_pixel_size(parser, "size of a pixel, instead of the file's")


def _add_pixel_size(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--pixel-size", type=float, metavar="V", help=help_text)
    parser.add_argument("--unit", metavar="U", help="unit of the pixel size: nm, um, mm, m, pixel")


def _add_device(
    parser: argparse.ArgumentParser, default: str | None = "auto", what: str = "where to compute (%(default)s)"
) -> None:
    parser.add_argument("--device", choices=_DEVICES, default=default, help=what)


def _model(text: str) -> str:
    try:
        return str(model_path(text))
    except ModelError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _axes(text: str) -> str:
    letters = text.replace(",", "").replace(" ", "")
    if set(letters) - set(_AXES):
        raise argparse.ArgumentTypeError(f"{text!r} are not axes: give letters of z,y,x")
    return letters
