"""Does scene `paste` ever show a real face? `python -m benchmarks.leaks [--quick] [--classes a,b] [--keep FOLDER]`.

Makes clips of hard cases, runs `mien.anonymize` over each, and compares every frame of the output with the input
inside the true face, whose place is known because the clip was made. A frame is *exposed* where a whole eye, nose or
mouth of anybody is to be seen, or an eighth of a face in one piece. Without the project's test clips, a public-domain
photo plays everybody.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.leaks.clips import KINDS, Clip, order
from benchmarks.leaks.controls import CONTROLS, controls
from benchmarks.leaks.measure import ALIKE, LARGE, SLIVER
from benchmarks.leaks.ordinary import Film, films
from benchmarks.leaks.people import cast
from benchmarks.leaks.pool import pool
from benchmarks.leaks.promises import PROMISES
from benchmarks.leaks.run import Outcome, attack
from benchmarks.material import DATA, PUPPET
from benchmarks.table import Table, keep
from mien.demo import drawn_portrait
from mien.errors import MienError
from mien.media.images import write_image

QUICK_FRAMES = 36
"""Of one clip a class, with --quick."""
MARKS = ("<!-- figures: python -m benchmarks.leaks --markdown -->", "<!-- end of figures of leaks -->")


def main() -> None:
    options = _options()
    wanted = _wanted(options.classes)
    with TemporaryDirectory() as folder:
        avatars = tuple(options.avatars.split(",")) if options.avatars else (PUPPET, _picture(Path(folder)))
        jobs = _jobs(wanted, avatars, options)
        if options.controls:
            print(checked(jobs, options.jobs))
            return
        began = time.perf_counter()
        try:
            outcomes = list(_progress(jobs, options))
        except MienError as error:
            sys.exit(str(error))
    shown = f"{table(outcomes, wanted)}\n{exposed_clips(outcomes)}"
    print(shown)
    print(f"{time.perf_counter() - began:.0f} s")
    if options.json:
        options.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1), encoding="utf-8")
    if options.markdown:
        keep(options.markdown, str(table(outcomes, wanted)), marks=MARKS)
    if any(outcome.exposed and PROMISES[outcome.kind].held for outcome in outcomes):
        sys.exit(1)


def table(outcomes: list[Outcome], wanted: tuple[str, ...]) -> Table:
    """Exposed frames by class."""
    columns = ("class", "clips", "frames", "exposed", "slivers", "cards", "veiled", "worst clip", "promised")
    result = Table(
        "Real faces shown by scene paste",
        columns,
        note=(
            "Exposed: frames in which an eye, the nose or the mouth of anybody is to be seen as in the input, or "
            f"{LARGE:.0%} of a face in one piece; slivers: from {SLIVER:.0%}. Target: none where it is promised. "
            "Cards: frames in whose place the card is shown; target for ordinary clips: 1 %. The worst clip is named "
            "with its exposed frames and its avatar."
        ),
    )
    for kind in wanted:
        of = [outcome for outcome in outcomes if outcome.kind == kind]
        if of:
            worst = max(of, key=lambda outcome: outcome.exposed)
            name = f"{worst.name.partition(': ')[2]} ({worst.exposed}, {worst.avatar})" if worst.exposed else ""
            promise = PROMISES[kind]
            result.add(kind, *_sums(of), name, "yes" if promise.held else f"no: {promise.reason}")
    result.add("all", *_sums(outcomes), "", "")
    held = [outcome for outcome in outcomes if PROMISES[outcome.kind].held]
    result.add("all that are promised", *_sums(held), "", "")
    return result


def exposed_clips(outcomes: list[Outcome]) -> str:
    """A line for each clip that exposed somebody, was refused, or went wrong."""
    lines = []
    for outcome in outcomes:
        if outcome.exposed:
            who = ", ".join(f"{name} {count}" for name, count in outcome.who.items())
            lines.append(
                f"  {outcome.exposed:4d} of {outcome.frames:4d}  from {outcome.first:5.2f} s  {outcome.name}, "
                f"{outcome.avatar}: {who} (at most {outcome.worst:.0%} of a face)"
            )
        if outcome.refused or outcome.wrong:
            lines.append(f"  {outcome.name}, {outcome.avatar}: {outcome.refused or outcome.wrong}")
    return "\n".join(lines)


def checked(jobs: list[Clip | Film], workers: int) -> Table:
    """How well the measure sees, on the first clip of each class."""
    result = Table(
        "The measure, where the answer is known: faces called exposed",
        ("class", *CONTROLS),
        note="The first two columns should be all, the others none. "
        f"A window is the same from a correlation of {ALIKE}; a face is exposed from {LARGE:.0%} in one piece.",
    )
    firsts = list({job.kind: job for job in reversed(jobs)}.values())[::-1]
    sums = dict.fromkeys(CONTROLS, (0, 0))
    with pool(workers) as workplace:
        for job, counts in zip(firsts, workplace.map(controls, firsts), strict=True):
            result.add(job.kind, *(f"{exposed} of {faces}" for exposed, faces in counts.values()))
            sums = {name: (sums[name][0] + e, sums[name][1] + f) for name, (e, f) in counts.items()}
    result.add("all", *(f"{exposed} of {faces}" for exposed, faces in sums.values()))
    return result


def _sums(outcomes: list[Outcome]) -> tuple[str, ...]:
    frames = sum(o.frames for o in outcomes)
    cards = sum(o.cards for o in outcomes)
    veiled = [o.veiled for o in outcomes if o.veiled is not None]
    return (
        str(len(outcomes)), str(frames), str(sum(o.exposed for o in outcomes)), str(sum(o.slivers for o in outcomes)),
        f"{cards} ({cards / frames:.1%})" if frames else "0", str(sum(veiled)) if veiled else "–",
    )  # fmt: skip


def _jobs(wanted: tuple[str, ...], avatars: tuple[str, ...], options: argparse.Namespace) -> list[Clip | Film]:
    made = tuple(kind for kind in wanted if kind in KINDS)
    clips: list[Clip | Film] = [*order(made, people=options.people, names=cast(), avatars=avatars)]
    if options.quick:
        clips = list({clip.kind: clip for clip in reversed(clips)}.values())[::-1]
    if "ordinary" in wanted:
        clips += films(avatars, frames=QUICK_FRAMES if options.quick else None)
    return clips


def _progress(jobs: list[Clip | Film], options: argparse.Namespace) -> Iterator[Outcome]:
    """Outcomes in the order of the jobs, with a bar meanwhile."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn()) as bar, pool(options.jobs) as workplace:
        task = bar.add_task("clips", total=len(jobs))
        frames = QUICK_FRAMES if options.quick else None
        running = {workplace.submit(attack, job, frames=frames, keep=options.keep): n for n, job in enumerate(jobs)}
        done: dict[int, Outcome] = {}
        exposed = 0
        for future in as_completed(running):
            outcome = done[running[future]] = future.result()
            exposed += outcome.exposed
            bar.update(task, advance=1, description=f"{exposed} frames exposed")
    yield from (done[number] for number in sorted(done))


def _wanted(classes: str | None) -> tuple[str, ...]:
    """Classes by name or by the beginning of one."""
    if not classes:
        return tuple(PROMISES)
    found = []
    for name in classes.split(","):
        matching = [kind for kind in PROMISES if kind.startswith(name.strip())]
        if not matching:
            sys.exit(f"There is no class {name.strip()!r}. Choose from: {', '.join(PROMISES)}.")
        found += [kind for kind in matching if kind not in found]
    return tuple(found)


def _picture(folder: Path) -> str:
    """A picture to wear: a painting, or a drawn portrait."""
    painting = DATA / "portraits" / "s9.jpg"
    if painting.exists():
        return str(painting)
    write_image(folder / "portrait.png", drawn_portrait("kofi", 512))
    return str(folder / "portrait.png")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", metavar="A,B", help="only these, by the beginning of their names")
    parser.add_argument("--people", type=int, default=2, metavar="N", help="sets of people for each variant of a class")
    parser.add_argument("--avatars", metavar="A,B", help="names or pictures, taken in turns")
    parser.add_argument("--quick", action="store_true", help="one short clip of each class: about 1 500 frames")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at once")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="sheets of the worst frames: they show real faces")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also keep the table in this Markdown file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what each clip showed")
    parser.add_argument("--controls", action="store_true", help="measure the measure: nothing covered")
    return parser.parse_args()


if __name__ == "__main__":
    main()
