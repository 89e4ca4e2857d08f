"""What preparing a dataset would take, said before it starts."""

from __future__ import annotations

from ganskit.data.dataset import Dataset, described, notes_of
from ganskit.data.files import printable
from ganskit.data.manifest import MANIFEST
from ganskit.data.prepare import bytes_each, num_shards, place_of
from ganskit.data.room import free_bytes, in_words
from ganskit.data.shards import file_of, finished


def plan(dataset: Dataset) -> str:
    """A few lines: how many originals there are, what is made of each, how large the store will be, where it will lie.

    The originals are opened and counted, none is decoded, nothing is written. Raises DataNotFound or BadData.
    """
    source = dataset.open()
    folder = place_of(dataset, source)
    notes = notes_of(source)
    shards = num_shards(dataset, len(source))
    complete = (folder / MANIFEST).is_file()
    done = shards if complete else sum(finished(file_of(folder, index)) is not None for index in range(shards))
    needed = bytes_each(dataset) * len(source)
    free = free_bytes(folder)
    room = (
        f"{in_words(free)} free"
        if complete or needed <= free
        else f"only {in_words(free)} free: {in_words(needed - free)} are missing"
    )
    lines = {
        "originals": f"{len(source):,}" + (f", and {notes.num_ignored:,} other files" if notes.num_ignored else ""),
        "example": f"{described(dataset.provides())}: {bytes_each(dataset):,} bytes",
        "transform": notes.transform or "none",
        "store": f"{folder}",
        "size": f"{in_words(needed)} in {shards:,} files, of which {done:,} are finished; {room}",
    }
    return "\n".join(f"{key:<11}{printable(text)}" for key, text in lines.items())
