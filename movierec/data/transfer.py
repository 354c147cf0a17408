"""One file over HTTP into one path, with retries and plain words for failures; what to fetch is download.py's."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import pooch
import requests
import urllib3
from tqdm import tqdm

from movierec.errors import MovierecError, UnreachableError
from movierec.io import replace_atomically

RETRY_WAITS_S: Sequence[float] = (1.0, 3.0)
CONNECT_TIMEOUT_S: float = 10.0
READ_TIMEOUT_S: float = 60.0

HTTP: Final = ("http", "https")
_BLOCK: Final = 1 << 20


def split_address(address: str, schemes: Sequence[str] = HTTP) -> SplitResult:
    """Take an address of one of some schemes apart.

    Raises
    ------
    MovierecError
        If it is no address, or of another scheme.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise MovierecError(f"{address} is no valid address ({error}): correct it") from error
    if parts.scheme.lower() not in schemes or not parts.hostname:
        kinds = f"{', '.join(schemes[:-1])} or {schemes[-1]}"
        raise MovierecError(f"{address} is no {kinds} address: give one, or the path of a file or folder")
    return parts


def download_file(address: str, target: Path) -> None:
    """Download a file, with a progress bar on a terminal; certificates are always verified.

    Parameters
    ----------
    address : str
        http or https.
    target : Path
        Replaced as a whole, or left as it was. Its folder is made if it is absent.

    Raises
    ------
    MovierecError
        If the address is not valid.
    UnreachableError
        If the server refuses the file or its certificate cannot be verified; if the connection fails, stalls
        or breaks off, or the server is out of order, in spite of `RETRY_WAITS_S`.
    """
    split_address(address)
    for wait_s in (*RETRY_WAITS_S, None):
        try:
            return _try_download(address, target)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if wait_s is None or not _is_passing(error):
                raise UnreachableError(_explain(error, address)) from error
        time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def _try_download(address: str, target: Path) -> None:
    with (
        replace_atomically(target) as temporary,
        tqdm(total=1, unit="B", unit_scale=True, desc=target.name, disable=None) as bar,
    ):
        timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        pooch.HTTPDownloader(progressbar=bar, chunk_size=_BLOCK, timeout=timeouts)(address, str(temporary), None)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, requests.HTTPError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    if isinstance(error, requests.exceptions.SSLError):
        return False
    broken_off = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, broken_off)


def _explain(error: Exception, address: str) -> str:
    host = split_address(address).hostname
    if isinstance(error, requests.HTTPError):
        return f"{address}: the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        reason = re.search(r"certificate verify failed: ([^('\"]+?)\s*[('\"]", str(error))
        return f"{host}: its TLS certificate cannot be verified ({reason[1] if reason else 'the TLS handshake failed'})"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{host}: the connection broke off"
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return f"{host}: no connection, or no answer within {READ_TIMEOUT_S:g} s"
    return f"{address}: {error}"
