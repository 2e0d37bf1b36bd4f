"""The error tree; each message says what was found, what is allowed and what to do. None carries a user's text.

::

    OriginalityError
    ├── BadInput              the caller's to mend
    │   ├── TextUnusable      not text, or nothing in it
    │   ├── TextTooLong       more than is read in one go
    │   ├── FileUnreadable    a file of cases or ideas that can't be read
    │   ├── CollectionMissing there is no collection of that name
    │   ├── ScreeningMissing  there is no screening of that name
    │   └── ScreeningEnded    it is done or cancelled, and what was asked is for one that isn't
    ├── AccessDenied          a key is missing, or doesn't allow what was asked
    │   └── ScopeMissing      a key that is ours doesn't allow this part of the API
    ├── KeysUnusable          the file of keys can't be read, or written
    ├── CatalogueInvalid      a line of the catalogue breaks the field dictionary
    ├── IndexUnusable         the built index
    │   ├── IndexMissing      there is none
    │   ├── IndexStale        built for another catalogue, model or layout
    │   ├── IndexBusy         somebody else is building it
    │   └── IndexNotWritten   the disk took no more
    ├── ModelUnavailable      the weights are missing or not the pinned ones
    ├── JudgeInvalid          the learned coefficients are missing or don't fit the code
    ├── Drifted               something that verdicts hang on isn't what the release was tested with
    ├── BadSetting            the environment asks for what there isn't
    ├── SourceUnusable        a source of the wide catalogue doesn't answer as it should
    ├── StoreUnavailable      the server that keeps the collections can't be used
    ├── EngineUnavailable     what spreads work isn't installed, or its cluster can't be used
    ├── BoxFull               a reader's note can't be kept: there are too many, or no place
    ├── ScreeningsUnusable    the database of screenings can't be opened
    └── PortInUse             the address of the service is taken
"""

from __future__ import annotations


class OriginalityError(Exception):
    """Anything that a user can act on; its text is fit to be shown."""


class BadInput(OriginalityError):
    """The request can't be judged as it stands."""


class TextUnusable(BadInput):
    """The text isn't text, or there is nothing in it."""


class TextTooLong(BadInput):
    """The text is longer than is read in one go."""


class FileUnreadable(BadInput):
    """A file that was named can't be read as what it should be."""


class CollectionMissing(BadInput):
    """There is no collection of the name that was given."""


class ScreeningMissing(BadInput):
    """There is no screening of that name, or it is another's."""


class ScreeningEnded(BadInput):
    """The screening is done or cancelled, and what was asked is for one that isn't."""


class AccessDenied(OriginalityError):
    """A key is missing or wrong, or it doesn't allow what was asked.

    Attributes:
        known: whether the key is one of ours.
    """

    def __init__(self, message: str, *, known: bool) -> None:
        """Say what is missing."""
        super().__init__(message)
        self.known = known


class ScopeMissing(AccessDenied):
    """A key that is ours doesn't allow this part of the API; there is nothing to hide about its being there."""


class KeysUnusable(OriginalityError):
    """The file of keys can't be read, or written; nobody is let in by mistake."""


class CatalogueInvalid(OriginalityError):
    """A line of the catalogue breaks the field dictionary; the message names file, line and field."""


class IndexUnusable(OriginalityError):
    """The built index can't be used."""


class IndexMissing(IndexUnusable):
    """There is no built index where one is looked for."""


class IndexStale(IndexUnusable):
    """The index was built for another catalogue, model or layout."""


class IndexBusy(IndexUnusable):
    """Another process is building the index and didn't finish in time."""


class IndexNotWritten(IndexUnusable):
    """A new version couldn't be written, for want of room or of rights; the one that was there stays."""


class ModelUnavailable(OriginalityError):
    """The encoder's weights are missing or are not the pinned ones."""


class JudgeInvalid(OriginalityError):
    """The judge's coefficients are missing or were learned for other features."""


class Drifted(OriginalityError):
    """Something that verdicts hang on is not what the release was tested with."""


class BadSetting(OriginalityError):
    """A setting from the environment has a value that isn't allowed."""


class SourceUnusable(OriginalityError):
    """A source of the wide catalogue doesn't answer, or not in the form that is read."""


class BoxFull(OriginalityError):
    """A reader's note can't be kept: as many as may be are there already, or their folder can't be written."""


class StoreUnavailable(OriginalityError):
    """What keeps the collections can't be reached or used; no address is repeated, for it may hold a password."""


class EngineUnavailable(OriginalityError):
    """What spreads work over processors or machines isn't installed, can't be reached, or was lost on the way."""


class PortInUse(OriginalityError):
    """The address that the service should listen on is taken."""


class ScreeningsUnusable(OriginalityError):
    """The database of screenings can't be opened."""
