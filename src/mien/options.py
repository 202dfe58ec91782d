"""What a user can choose, said once: the Python API takes these fields as arguments, the command line as options."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, get_type_hints, overload

from mien.avatar.library import DEFAULT
from mien.errors import InputError
from mien.media.camera import LiveSource
from mien.pipeline import Progress, Tracker
from mien.types import Scene

OnProgress = Callable[[Progress], None]
OnTick = Callable[[Any], None]
"""Is given the `LiveShow` that runs."""
P = ParamSpec("P")
A = TypeVar("A")
B = TypeVar("B")
Options = TypeVar("Options")
R = TypeVar("R")


class takes(Generic[P, Options]):  # noqa: N801
    """Decorator: the function's last argument is an options dataclass, whose fields callers give as keywords.

    The signature that callers, type checkers and the command line see is that of the dataclass.
    """

    def __init__(self, options: Callable[P, Options]) -> None:
        self._options: Any = options

    @overload
    def __call__(self, function: Callable[[Options], R]) -> Callable[P, R]: ...
    @overload
    def __call__(self, function: Callable[[A, Options], R]) -> Callable[Concatenate[A, P], R]: ...
    @overload
    def __call__(self, function: Callable[[A, B, Options], R]) -> Callable[Concatenate[A, B, P], R]: ...
    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the fields of the dataclass as keyword-only arguments."""

        *inputs, _ = inspect.signature(function).parameters.values()
        # What the dataclass adds to those it builds on comes first: it is what the function is about.
        fields = inspect.signature(self._options).parameters
        added = [
            name for kind in inspect.getmro(self._options) for name in inspect.get_annotations(kind) if name in fields
        ]
        chosen = [fields[name] for name in dict.fromkeys(added)]
        signature = inspect.Signature([*inputs, *chosen])

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs).arguments
            first = [given.pop(parameter.name) for parameter in inputs]
            return function(*first, self._options(**given))

        hints = get_type_hints(function, include_extras=True) | get_type_hints(self._options, include_extras=True)
        called.__signature__ = signature  # type: ignore[attr-defined]
        called.__annotations__ = {name: hints[name] for name in signature.parameters}
        return called


@dataclass(frozen=True, slots=True)
class AtTheShell:
    """Beside an option's note: its default on the command line, where that differs from the function's."""

    default: Any


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """How faces are found, what their resting face is, and what the report on them is called."""

    detector: Annotated[str, "What finds faces in a whole frame: blazeface, haar, or ssd:PROTOTXT,CAFFEMODEL."] = (
        "blazeface"
    )
    neutral: Annotated[
        str,
        "Which face counts as relaxed: 'auto' (estimated all along), 'first' (when first seen), a time in seconds, or "
        "'frame:N'.",
    ] = "auto"
    title: Annotated[str, "Heading of the report. No file name gets into it by itself."] = ""
    on_progress: OnProgress | None = None


@dataclass(frozen=True, kw_only=True)
class Reading(Tracking):
    """What `read` can be told."""

    output: Annotated[
        Path | str | None, "Beginning of the names of the files written; beside the input if not given."
    ] = None
    csv: Annotated[bool, "Write OUTPUT.expression.csv, one row per face and frame.", AtTheShell(True)] = False
    summary: Annotated[bool, "Write OUTPUT.expression.json, what was seen in numbers.", AtTheShell(True)] = False
    report: Annotated[bool, "Write OUTPUT.report.html, one page to read offline.", AtTheShell(True)] = False


@dataclass(frozen=True, kw_only=True)
class Rerendering(Tracking):
    """What `anonymize` and `animate` have in common."""

    output: Annotated[Path | str | None, "The MP4 to write; beside the input if not given."] = None
    engine: Annotated[str | None, "How the avatar is moved (`mien engines`); by its kind if not given."] = None
    size: Annotated[int, "Length in pixels of the avatar picture's longer side, 64 to 2048."] = 512
    audio: Annotated[Literal["keep", "drop"], "What becomes of the sound. A voice can give a person away too."] = "keep"
    csv: Annotated[bool, "Also write OUTPUT.expression.csv, one row per face and frame."] = False
    summary: Annotated[bool, "Also write OUTPUT.expression.json, what was seen in numbers."] = False
    report: Annotated[bool, "Also write OUTPUT.report.html, one page to read offline."] = False


@dataclass(frozen=True, kw_only=True)
class Anonymizing(Rerendering):
    """What `anonymize` can be told."""

    avatar: Annotated[str | Path, "A name (`mien avatars list`), a picture, or a folder with a rig."] = DEFAULT
    scene: Annotated[
        Scene, "'avatar' shows the avatar alone; 'paste' puts it over every face of the original picture."
    ] = Scene.AVATAR
    """Its name, a string, serves as well."""
    people: Annotated[int, "How many people to show side by side (scene avatar)."] = 1
    forget_after: Annotated[
        float | None,
        "Scene paste: seconds after a face was last seen until the picture may be shown without it. Never if not "
        "given: a card takes its place.",
    ] = None

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "scene", Scene(self.scene))
        except ValueError:
            known = " or ".join(repr(scene.value) for scene in Scene)
            raise InputError(f"There is no scene {self.scene!r}. Choose {known}.") from None


@dataclass(frozen=True, kw_only=True)
class AnonymizingMany(Anonymizing):
    """What `anonymize_many` can be told. `on_progress` is given a `BatchProgress`, in the calling thread."""

    output: Annotated[
        Path | str | None,
        "The MP4 to write; of several clips, or of a folder, the folder to write into. Beside each clip if not given.",
    ] = None
    jobs: Annotated[
        int | None, "Of several clips, how many to work on at a time; as many as suit this machine if not given."
    ] = None


@dataclass(frozen=True, kw_only=True)
class Animating(Rerendering):
    """What `animate` can be told."""


@dataclass(frozen=True, kw_only=True)
class Demonstrating:
    """What `demo` can be told."""

    output: Annotated[Path | str, "Folder to write into."] = Path("mien-demo")
    avatar: Annotated[str, "The built-in avatar that takes the patient's place."] = DEFAULT
    size: Annotated[int, "Length in pixels of the clips' sides."] = 512
    seconds: Annotated[float, "How much of the consultation to play, 20 seconds being all of it."] = 20.0
    on_progress: OnProgress | None = field(default=None)


@dataclass(frozen=True, kw_only=True)
class GoingLive:
    """What `live` can be told."""

    camera: Annotated[str | LiveSource, "A camera's number or name, or a clip to play as one."] = "0"
    avatar: Annotated[str | Path, "A name (`mien avatars list`), a picture, or a folder with a rig."] = DEFAULT
    engine: Annotated[str | None, "How the avatar is moved (`mien engines`); by its kind if not given."] = None
    size: Annotated[int, "Length in pixels of the avatar picture's longer side, 64 to 2048."] = 512
    mirror: Annotated[bool, "Mirror the picture."] = False
    virtual: Annotated[bool, "Be a virtual camera that meeting programs can choose."] = True
    device: Annotated[str | None, "Which virtual camera, where there are several: its device file or name."] = None
    preview: Annotated[bool, "Show the avatar on a page of this computer, with buttons for everything."] = True
    browser: Annotated[bool, "Open that page in the browser."] = True
    port: Annotated[int, "Port of the page; any that is free if 0."] = 0
    csv: Annotated[Path | str | None, "Table to write in the end, one row per face and frame."] = None
    report: Annotated[Path | str | None, "Report to write in the end, one page to read offline."] = None
    title: Annotated[str, "Heading of the report."] = ""
    loop: Annotated[bool, "Play the clip again and again."] = False
    seconds: Annotated[float | None, "End by itself after so long."] = None
    tracker: Tracker | None = None
    on_tick: OnTick | None = None
