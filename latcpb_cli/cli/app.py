"""The command line: one Typer application, one place where errors end.

Commands import what they need when they run, so that ``latcpb --help`` loads
neither torch nor MDAnalysis.
"""

from __future__ import annotations

import logging
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Annotated

import typer

from latcpb_cli import __version__
from latcpb_cli.cli.backmap import backmap
from latcpb_cli.cli.doctor import doctor
from latcpb_cli.cli.evaluate import evaluate
from latcpb_cli.cli.examples import examples
from latcpb_cli.cli.inspect import inspect
from latcpb_cli.cli.startup import start_help
from latcpb_cli.cli.train import train_app
from latcpb_cli.cli.weights import download_weights
from latcpb_cli.errors import ExitCode, LatcpbError, first_line, one_line, without_passwords

__all__ = ["app", "main"]

_HELP_OPTIONS = ["-h", "--help"]

app = typer.Typer(
    name="latcpb",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": _HELP_OPTIONS},
    help="All atoms back from a coarse-grained protein trajectory of Cα beads.",
)


def _show_version(show: bool) -> bool:
    if show:
        typer.echo(f"latcpb {__version__}")
        raise typer.Exit
    return show


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


app.command()(backmap)
app.command()(inspect)
app.command()(evaluate)
app.command("download-weights")(download_weights)
app.command()(doctor)
app.command()(examples)
app.add_typer(train_app, name="train")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments without the program name; those of the process by default.

    Raises
    ------
    SystemExit
        Always, with a code out of `ExitCode`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    signal.signal(signal.SIGTERM, _stop)
    logging.getLogger("latcpb_cli").addHandler(_LOG_PRINTER)
    if not debug:
        # Warnings of libraries repeat the messages of a command, or concern the libraries alone.
        warnings.simplefilter("ignore")
    if not arguments or not set(_HELP_OPTIONS).isdisjoint(arguments):
        start_help()
    try:
        app(arguments, prog_name="latcpb")
    except Exception as error:
        if debug:
            # Here, because Typer sets a hook of its own when it is called.
            sys.excepthook = _print_traceback
            raise
        sys.exit(int(_print_and_classify(error)))


def _print_and_classify(error: Exception) -> ExitCode:
    """Print an error in one line, its hint in another, and return the exit code."""
    if isinstance(error, LatcpbError):
        message, hint, code = error.message, error.hint, error.exit_code
    elif isinstance(error, OSError):
        message, code = f"{error.filename or 'a file'}: {error.strerror or error}", ExitCode.BAD_INPUT
        hint = "check the disk's free space and the permissions"
    else:
        message = f"this is a bug in latcpb ({type(error).__name__}: {first_line(error)})"
        hint, code = "run again with --debug and report the traceback", ExitCode.BUG
    _print_error(f"error: {message}")
    if hint:
        _print_error(f"hint: {hint}")
    return code


def _stop(signum: int, frame: FrameType | None) -> None:
    """End on SIGTERM (a batch system's time limit) the way Ctrl-C does: cleaned up."""
    raise KeyboardInterrupt


class _LogPrinter(logging.Handler):
    """Prints what the package logs for Python programs, such as a copy of weights that is fetched again."""

    def emit(self, record: logging.LogRecord) -> None:
        _print_error(f"{record.levelname.lower()}: {record.getMessage()}")


_LOG_PRINTER = _LogPrinter(logging.WARNING)


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print what Python would, without the passwords of addresses."""
    sys.stderr.write(without_passwords("".join(traceback.format_exception(kind, error, trace))))


def _print_error(line: str) -> None:
    """One plain line on stderr, whatever the terminal can show."""
    encoding = sys.stderr.encoding or "ascii"
    line = one_line(line)
    print(line.encode(encoding, "replace").decode(encoding), file=sys.stderr)
