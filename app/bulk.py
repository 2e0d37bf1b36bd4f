"""Judges and encodes many texts on an engine, with the results of doing it here, in order."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from app import engine, errors, runtime
from app.checker import Checker, Submission
from app.encoder import DIMENSION
from app.errors import BadInput, EngineUnavailable, OriginalityError
from app.records import About
from app.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from app.encoder import Encoder
    from app.records import Vectors
    from app.report import Provenance
    from app.settings import Settings

PARCEL = 512
"""Texts that are encoded together, as where an index is built without an engine: the vectors are the same."""
_NONE = np.zeros((0, DIMENSION), dtype=np.float32)


# --- judging ---------------------------------------------------------------------------------------------------------


def judged(
    groups: Iterable[Sequence[Submission]], settings: Settings, *, advise: bool = True
) -> Iterator[list[Report | OriginalityError]]:
    """Judge groups of texts on the engine that the settings name; see ``Checker.check_many``.

    Raises:
        EngineUnavailable: if there is none, or the machines of its cluster don't judge alike.
        OriginalityError: what no single text is to blame for, such as a collection that is missing.
    """
    parcels = (json.dumps([asdict(one) for one in group]) for group in groups)
    first: Provenance | None = None
    for answer in engine.spread(_Judging(settings, advise), parcels, settings.ray_address):
        results = _results(answer)
        for one in results:
            if isinstance(one, Report):
                first = first or one.provenance
                if one.provenance != first:
                    raise EngineUnavailable(
                        "The machines of the cluster don't judge alike: release, catalogue or encoder differ. "
                        "Install the same release on each, and give each the same settings."
                    )
        yield results


@dataclass(frozen=True, slots=True)
class _Judging:
    """A parcel is a group of submissions; see ``engine.Work``."""

    settings: Settings
    advise: bool

    def open(self) -> Callable[[str], bytes]:
        return self._judge

    def _judge(self, parcel: str) -> bytes:
        try:
            results = _checker(self.settings).check_many(_submissions(parcel), advise=self.advise)
        except OriginalityError as error:  # of no single text: it ends the whole, there as here
            return json.dumps(_told(error)).encode()
        told = [_told(one) if isinstance(one, OriginalityError) else one.model_dump(mode="json") for one in results]
        return json.dumps(told).encode()


def _submissions(parcel: str) -> list[Submission]:
    rows = json.loads(parcel)
    return [
        Submission(
            **row | {"about": About(**row["about"]) if row["about"] else None, "collections": tuple(row["collections"])}
        )
        for row in rows
    ]


def _told(error: OriginalityError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error)}


def _results(answer: bytes) -> list[Report | OriginalityError]:
    found: Any = json.loads(answer)
    if isinstance(found, dict):
        raise _error(found)
    return [_error(one) if "error" in one else Report.model_validate(one) for one in found]


def _error(told: dict[str, str]) -> OriginalityError:
    """Make the error again that was met elsewhere; judging meets none that carries more than its message."""
    kind = getattr(errors, told["error"], BadInput)
    return kind(told["message"])


@cache
def _checker(settings: Settings) -> Checker:
    return Checker.open(settings, build=True)


# --- encoding --------------------------------------------------------------------------------------------------------


class SpreadEncoder:
    """Encodes texts on an engine, and keeps what is done, so that a build that was broken off goes on where it was."""

    at_once = engine.WAVE * PARCEL
    """Texts that a caller with many should give in one call, so that there is something to spread."""

    def __init__(self, kept: Path, ray_address: str = "", tell: Callable[[str], None] = lambda _: None) -> None:
        """Choose where it's done.

        Args:
            kept: folder of the vectors that are done; ``clear`` it when they are in an index.
            ray_address: see ``engine.spread``.
            tell: gets a line of progress now and then.
        """
        self._kept = kept
        self._ray_address = ray_address
        self._tell = tell
        self.name = runtime.pinned_name()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; see ``Encoder.encode``."""
        parcels = [json.dumps(list(texts[start : start + PARCEL])) for start in range(0, len(texts), PARCEL)]
        places = [self._kept / f"{_digest(self.name, parcel)}.npy" for parcel in parcels]
        done = {place: np.load(place) for place in places if place.is_file()}
        fresh = {place: parcel for place, parcel in zip(places, parcels, strict=True) if place not in done}
        answers = engine.spread(_Encoding(), fresh.values(), self._ray_address)
        for place, answer in zip(fresh, answers, strict=True):
            done[place] = np.frombuffer(answer, dtype=np.float32).reshape(-1, DIMENSION)
            _keep(place, done[place])
            self._tell(f"encoded {len(done):,} of {len(places):,} parts")
        return np.concatenate([done[place] for place in places]) if places else _NONE

    def clear(self) -> None:
        """Forget what was kept."""
        shutil.rmtree(self._kept, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A parcel is a list of texts; see ``engine.Work``."""

    def open(self) -> Callable[[str], bytes]:
        return lambda parcel: _encoder().encode(json.loads(parcel)).tobytes()


@cache
def _encoder() -> Encoder:
    return runtime.reference()


def _digest(model: str, parcel: str) -> str:
    return hashlib.blake2b(f"{model}\n{parcel}".encode(), digest_size=16).hexdigest()


def _keep(place: Path, vectors: Vectors) -> None:
    """Write a whole file or none."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".new")
    with fresh.open("wb") as stream:
        np.save(stream, vectors)
    fresh.rename(place)
