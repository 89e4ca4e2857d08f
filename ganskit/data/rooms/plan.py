"""Furnishing a room: finds a place for one thing after the other, so that nothing overlaps and all can be seen."""

from __future__ import annotations

from attrs import evolve

from ganskit.data.chance import Chance
from ganskit.data.rooms.space import Camera, Place, Wall

MATTRESS_HEIGHT = 0.55
TABLE_HEIGHT = 0.52
SIDE_GAP = 0.08
TALL = 1.5
"""Between chests of drawers and wardrobes."""


class Plan:
    """What has been placed so far in a room of a given width and height."""

    def __init__(self, chance: Chance, width: float, height: float, camera: Camera) -> None:
        self.chance, self.width, self.height, self.camera = chance, width, height, camera
        self.placed: list[Place] = []

    def put_bed(self, side: str) -> Place:
        """Head against the back wall; or, on the left or right, sometimes against that side wall, if that is seen."""
        width = self.chance.pick((1.05, 1.5, 1.7, 1.85))
        head = self.chance.between(0.95, 1.3)
        length = self.chance.between(1.95, 2.15)
        if side == "centre":
            return self._keep(Place("back", self.width / 2, width, 0.0, head, length))
        aside = Place(side, width / 2 + self.chance.between(0.6, 0.7), width, 0.0, head, length)
        inset = width / 2 + self.chance.between(0.1, 0.65)
        if self.chance.happens(0.6) and self.camera.distance > 3.7 and width < 1.8 and self._in_view(aside):
            return self._keep(aside)
        return self._keep(Place("back", inset if side == "left" else self.width - inset, width, 0.0, head, length))

    def put_tables(self, bed: Place, side: str) -> tuple[Place, ...]:
        """Night tables beside the bed's head: one, or where there is room, two."""
        wall_width = self.width if bed.wall == "back" else self.camera.distance
        size, reach = self.chance.between(0.42, 0.52), self.chance.between(0.36, 0.44)
        middles = (bed.start - SIDE_GAP - size / 2, bed.end + SIDE_GAP + size / 2)
        fitting = [middle for middle in middles if size / 2 <= middle <= wall_width - size / 2]
        if bed.wall != "back":
            fitting = fitting[:1]  # the other would stand in front of the camera
        elif len(fitting) == 2 and (side != "centre" or self.chance.happens(0.4)):
            fitting = [self.chance.pick(fitting)]
        return tuple(self._keep(Place(bed.wall, middle, size, 0.0, TABLE_HEIGHT, reach)) for middle in fitting)

    def put_lamps(self, tables: tuple[Place, ...]) -> tuple[Place, ...]:
        """A lamp on every table, on none, or on one of two."""
        size, height = self.chance.between(0.32, 0.44), self.chance.between(0.5, 0.62)
        number = self.chance.pick((0, 1, 2, 2))
        lamps = [evolve(table, width=size, bottom=table.top, top=table.top + height) for table in tables]
        return tuple(self._keep(lamp) for lamp in lamps[:number] if self._in_view(lamp))

    def put_windows(self, number: int) -> tuple[Place, ...]:
        """`number` windows of one size, on the back wall or the far ends of the side walls."""
        width = self.chance.between(0.85, 1.2)
        top = self.height - self.chance.between(0.2, 0.4)
        bottom = top - self.chance.between(1.0, 1.3)
        third = self.width / 3
        spots = [("back", third / 2), ("back", self.width / 2), ("back", self.width - third / 2)]
        spots += [("left", width / 2 + 0.45), ("right", width / 2 + 0.45)]
        windows: list[Place] = []
        for wall, middle in self.chance.shuffled(spots) + spots[::2]:
            low = [other.top for other in self.placed if other.wall == wall and other.top < TALL]
            sill = min(max([bottom, *(each + 0.08 for each in low)]), top - 0.75)
            place = Place(wall, middle, width, sill, top)
            if len(windows) < number and self._in_view(place) and not self._taken(place, 0.05):
                windows.append(self._keep(place))
        return tuple(windows)

    def put_door(self) -> Place | None:
        """A door on any wall, with room to open it; None when there is no place for one."""
        width, top = self.chance.between(0.8, 0.9), self.chance.between(2.0, 2.1)
        spots = [("back", width / 2 + 0.25), ("back", self.width - width / 2 - 0.25)]
        spots += [(wall, along + width / 2) for wall in ("left", "right") for along in (0.3, 1.1)]
        return self._first([Place(wall, middle, width, 0.0, top, 0.5) for wall, middle in spots])

    def put_wardrobe(self) -> Place | None:
        """A tall wardrobe or a low chest of drawers."""
        tall = self.chance.happens(0.5)
        width = self.chance.between(0.9, 1.2)
        top, reach = (self.chance.between(1.9, 2.1), 0.55) if tall else (self.chance.between(0.8, 0.95), 0.45)
        middles = [("back", width / 2 + 0.05), ("back", self.width - width / 2 - 0.05)]
        middles += [(wall, along + width / 2) for wall in ("left", "right") for along in (0.1, 0.9)]
        return self._first([Place(wall, middle, width, 0.0, top, reach) for wall, middle in middles])

    def put_pictures(self, bed: Place, number: int) -> tuple[Place, ...]:
        """Up to `number` pictures of one size: above the bed, else wherever a wall is bare."""
        width, height = self.chance.between(0.4, 0.65), self.chance.between(0.4, 0.7)
        bottom = max(bed.top + 0.12, self.chance.between(1.3, 1.5))
        step = width + 0.15
        row = [bed.middle + step * (column - (number - 1) / 2) for column in range(number)]
        corners = [("back", self.width * 0.2), ("back", self.width * 0.8), ("left", 1.0), ("right", 1.0)]
        spots = [(bed.wall, middle) for middle in row] + self.chance.shuffled(corners)
        pictures: list[Place] = []
        for wall, middle in spots:
            place = Place(wall, middle, width, bottom, min(bottom + height, self.height - 0.15))
            if len(pictures) < number and self._in_view(place) and not self._taken(place, 0.08):
                pictures.append(self._keep(place))
        return tuple(pictures)

    def put_rug(self, bed: Place) -> Place:
        """A rug that reaches out from under the bed."""
        width = bed.width + self.chance.between(0.7, 1.3)
        return Place(bed.wall, bed.middle, width, 0.0, 0.02, bed.out + self.chance.between(0.2, 0.5))

    def put_plant(self) -> Place | None:
        """A plant in a pot, in a far corner or along a side wall."""
        size, top = self.chance.between(0.5, 0.65), self.chance.between(0.8, 1.35)
        spots = [("back", size / 2 + 0.05), ("back", self.width - size / 2 - 0.05), ("left", 1.5), ("right", 1.5)]
        return self._first([Place(wall, middle, size, 0.0, top, size) for wall, middle in spots])

    def _keep(self, place: Place) -> Place:
        self.placed.append(place)
        return place

    def _first(self, places: list[Place]) -> Place | None:
        """The first of the places, in random order, that is free and in view and hides no window."""
        for place in self.chance.shuffled(places):
            if self._in_view(place) and not self._taken(place, 0.05) and not self._crowds(place):
                return self._keep(place)
        return None

    def _in_view(self, place: Place) -> bool:
        x, _, depth = self.camera.project(self._point(place.wall, place.middle, 1.3, 0.0))
        on_wall = place.wall != "back" or (place.start > 0 and place.end < self.width)
        return on_wall and depth > 0.8 and abs(x) < 0.85

    def _taken(self, place: Place, margin: float) -> bool:
        return any(place.overlaps(other, margin) for other in self.placed)

    def _crowds(self, place: Place) -> bool:
        """Whether it stands in another's floor space, or between the camera and a window or picture."""
        x_low, x_high, z_low, z_high = self._floor_space(place)
        columns = [self.camera.project((x, 0.0, z))[0] for x in (x_low, x_high) for z in (z_low, z_high)]
        for other in self.placed:
            left, right, near, far = self._floor_space(other)
            if x_low < right and left < x_high and z_low < far and near < z_high:
                return True
            middle = self.camera.project(self._point(other.wall, other.middle, 1.3, 0.0))[0]
            if other.bottom > 0.6 and place.top > other.bottom - 0.4 and min(columns) < middle < max(columns):
                return True
        return False

    def _floor_space(self, place: Place) -> tuple[float, float, float, float]:
        """Low and high x, low and high z of what a standing thing covers; flat on the wall, nothing."""
        first = self._point(place.wall, place.start, 0.0, 0.0)
        second = self._point(place.wall, place.end, 0.0, place.out)
        return min(first[0], second[0]), max(first[0], second[0]), min(first[2], second[2]), max(first[2], second[2])

    def _point(self, wall: str, along: float, up: float, out: float) -> tuple[float, float, float]:
        return Wall(wall, self.width).point(along, up, out)
