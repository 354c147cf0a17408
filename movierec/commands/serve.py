"""The command `movierec serve`."""

import gc
import os
import socket
from pathlib import Path
from typing import Annotated, Final

import typer

from movierec.errors import MovierecError

GRACE_S: Final = 10

Host = Annotated[str, typer.Option(help="Address to listen on; any but this machine's own needs a token.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")]
Root = Annotated[Path, typer.Option(help="Folder of dvc.lock and what the pipeline made.")]


def serve(*, host: Host = "127.0.0.1", port: Port = 8000, root: Root = Path()) -> None:
    """Serve recommendations over HTTP; MOVIEREC_* variables set limits, database, token and experiment."""
    import uvicorn  # noqa: PLC0415  # these take seconds, which other commands need not wait

    from movierec.service.api.security import check_address  # noqa: PLC0415
    from movierec.service.app import create_app  # noqa: PLC0415
    from movierec.service.logs import log_json  # noqa: PLC0415
    from movierec.service.settings import read_settings  # noqa: PLC0415

    root = root.resolve()
    settings = read_settings(root, os.environ)
    check_address(host, settings.api_token)
    _require_files(root)
    app = create_app(settings)
    app.state.dependencies.models.after_first_load = _settle
    listener = _listen(host, port)
    log_json()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,  # otherwise any local client could choose its address
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _require_files(root: Path) -> None:
    from movierec.recommender.artifacts import fingerprint  # noqa: PLC0415  # as above

    absent = next((name for name, *state in fingerprint(root) if not any(state)), None)
    if absent:
        raise MovierecError(f"{absent} is missing: run `make repro` first")


def _settle() -> None:
    """Spare the garbage collector all that stays for good: looking through it stops every request for 0.2 s."""
    gc.collect()
    gc.freeze()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise MovierecError(f"cannot listen on {host} port {port} ({error.strerror}): give another --port") from error
