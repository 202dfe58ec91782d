"""What one look at a frame found, in the first pass."""

from __future__ import annotations

from dataclasses import dataclass, field

from mien.scene.paste.bodies import unexplained
from mien.scene.paste.places import Map, Place


@dataclass(slots=True, eq=False)
class Look:
    """What one look at the picture found."""

    index: int
    time: float
    cut: bool
    """Whether another shot begins here: nothing is linked to the look before."""
    places: list[Place] = field(default_factory=list)
    doubtful: list[Place] = field(default_factory=list)
    """Believed once a look before or after finds a face there."""
    people: Map | None = None
    """Where people are, until `settle`."""
    strangers: Map | None = None
    """Where people are whom no place explains, from `settle` on; None where there are none."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the frame, pixels."""

    def settle(self) -> None:
        """No place will be added any more: find the strangers, and forget the rest."""
        if self.people is not None:
            self.strangers, self.people = unexplained(self.people, self.places, self.size), None
        self.doubtful.clear()

    @property
    def tracked(self) -> set[int]:
        """The tracker's numbers of the faces in sight."""
        return {place.tracked for place in self.places if place.tracked is not None}
