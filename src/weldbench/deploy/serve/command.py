"""The command `weldbench serve`."""

import argparse
from pathlib import Path

from weldbench.deploy.options import add_decision_options
from weldbench.errors import InputError

_PACKAGES = frozenset({"fastapi", "fastapi_offline", "prometheus_client", "python_multipart", "starlette", "uvicorn"})
_EPILOG = """\
A page for people is at /, the description of the interface for programs at /docs. Ctrl-C stops the server: what is
accepted is answered first, and the exit code is 0; it is 2 for bad input."""


def add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser("serve", help="judge frames over HTTP, with a page for people", epilog=_EPILOG)
    add_decision_options(parser)
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="one that other machines can reach needs a token; default: 127.0.0.1",
    )
    parser.add_argument("--port", type=int, default=8000, metavar="NUMBER", help="0 for a free one; default: 8000")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token that clients must send; default: $WELDBENCH_TOKEN"
    )
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> None:
    try:
        import python_multipart  # noqa: F401

        from weldbench.deploy.serve.server import serve
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise InputError("weldbench serve needs more packages; run `pip install 'weldbench[serve]'`") from None
    serve(
        arguments.export,
        host=arguments.host,
        port=arguments.port,
        token_file=arguments.token_file,
        false_rejects=arguments.false_rejects,
        vote_frames=arguments.vote,
        runtime=arguments.runtime,
        keep_promise=arguments.promise,
    )
