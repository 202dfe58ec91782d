"""Processes that work at the clips, and the recipes all of them know."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import cv2

from benchmarks.leaks import edges, events, layers, looks, things  # noqa: F401  registers the recipes


def pool(workers: int) -> ProcessPoolExecutor:
    """So many processes, which use one core each."""
    context = multiprocessing.get_context("spawn")  # a fork would copy threads that hold locks
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start)


def _start() -> None:
    cv2.setNumThreads(1)
