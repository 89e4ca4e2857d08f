"""Work for several processes: tasks in, results out as they come, and a clean end whatever happens."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Protocol, TypeVar

from ganskit.data.guards import interrupts_ignored
from ganskit.errors import RunFailed

Task = TypeVar("Task")
Result = TypeVar("Result")
GivenTask = TypeVar("GivenTask", contravariant=True)
Made = TypeVar("Made", covariant=True)


class Work(Protocol[GivenTask, Made]):
    """A function of a module: it calls `tick` after each thing that is done, and looks now and then whether it is `stopping`."""

    def __call__(self, task: GivenTask, tick: Callable[[], object] = ..., /) -> Made:
        """Do a task."""


_stop: Event | None = None


def results(
    tasks: Iterable[tuple[int, Task]], function: Callable[[Task], Result], workers: int, doing: str
) -> Generator[tuple[int, Result], None, None]:
    """What `function`, one of a module, makes of each task, with the task's number; in the order in which they end.

    Close it (`contextlib.closing`): then, as after Ctrl-C or an error, no further task begins, those that run are asked to
    stop, and it returns when all processes have ended. Raises what a task raises, and RunFailed when a process dies;
    `doing` says at what, as "preparing data".
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(workers, context, _start_worker, (stop,))
    waiting = iter(tasks)
    running: dict[Future[Result], int] = {}
    try:
        while True:
            # Not all at once: a task is made when its turn is near, and may be large, or take a walk through a source.
            for number, task in itertools.islice(waiting, 2 * workers - len(running)):
                with interrupts_ignored():
                    running[pool.submit(function, task)] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise RunFailed(
            f"A worker process died while {doing}: for lack of memory (try fewer workers), or because the script that "
            'began it has no `if __name__ == "__main__":`. What is finished is kept.'
        ) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def left_over(num: int, finished: Callable[[int], Result | None], done: dict[int, Result]) -> list[int]:
    """Which of `num` tasks are to be done; what an earlier, interrupted call has finished is put into `done`."""
    todo = []
    for number in range(num):
        result = finished(number)
        if result is None:
            todo.append(number)
        else:
            done[number] = result
    return todo


def results_here_or_there(
    todo: Sequence[int],
    task: Callable[[int], Task],
    work: Work[Task, Result],
    workers: int,
    doing: str,
    size: Callable[[Result], int],
    tick: Callable[[int], object],
) -> Generator[tuple[int, Result], None, None]:
    """As `results` of the tasks with these numbers, but in this process if one worker is enough.

    `tick` is told how many things are done: here one by one, from workers the `size` of a result when it comes.
    """
    tasks = ((number, task(number)) for number in todo)
    if min(workers, len(todo)) <= 1:
        for number, each in tasks:
            yield number, work(each, lambda: tick(1))
        return
    with contextlib.closing(results(tasks, work, min(workers, len(todo)), doing)) as found:
        for number, result in found:
            tick(size(result))
            yield number, result


def stopping() -> bool:
    """Whether this is a worker process that has been asked to stop."""
    return _stop is not None and _stop.is_set()


class Stopped(Exception):
    """A task was abandoned because its process was asked to stop."""


def _start_worker(stop: Event) -> None:
    """Set up a worker process: the parent handles Ctrl-C, and its end, however sudden, is the worker's end."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # for PyTorch, if a task imports it: the processes share the cores already
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
