"""The command line ``napari-slicegan``; torch is imported only by the commands that compute."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from napari_slicegan.cli.parser import PROGRAM, build_parser
from napari_slicegan.cli.stopping import INTERRUPTED, exit_on_terminate
from napari_slicegan.core.errors import SliceGANError

FAILED, DEFECT = 2, 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process when left out.

    Returns
    -------
    int
        Exit code: 0 done; 1 a defect of this package; 2 the request cannot be met; 130 and 143
        stopped by Ctrl-C and by SIGTERM.
    """
    args = build_parser().parse_args(argv)
    args.command_line = list(sys.argv[1:] if argv is None else argv)
    try:
        with exit_on_terminate():
            code: int = import_module(f"napari_slicegan.cli.{args.command}").run(args)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return _say("interrupted.", INTERRUPTED, args.debug)
    except BrokenPipeError:
        return _close_stdout()
    except SliceGANError as error:
        return _say(str(error), FAILED, args.debug)
    except OSError as error:
        return _say(f"{error}.", FAILED, args.debug)
    except Exception as error:  # noqa: BLE001  (never a traceback unasked)
        from napari_slicegan.core.memory import SMALLER_WORK, is_out_of_memory

        if is_out_of_memory(error):
            return _say(f"There is not enough memory for this: {SMALLER_WORK}.", FAILED, args.debug)
        hint = "" if args.debug else " Run the same command with --debug and report what it shows."
        text = f"this is a defect of the program: {type(error).__name__}: {error}.{hint}"
        return _say(text, DEFECT, args.debug)


def _say(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"{PROGRAM}: {' '.join(text.split())}", file=sys.stderr)
    return code


def _close_stdout() -> int:
    """Whoever read the output has gone: let the interpreter flush into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
