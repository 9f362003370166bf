"""Silence lasts as long as somebody reads, and leaves the process as it was."""

import logging
import threading
import warnings

from limpid.image.read import read
from limpid.image.suppress_warnings import quiet
from photo_samples import encoded, picture


def test_threads_share_the_silence_and_restore_everything():
    before = (list(warnings.filters), logging.getLogger("tifffile").propagate, list(logging.getLogger("PIL").handlers))
    files = [encoded(picture(), format) for format in ("JPEG", "PNG", "TIFF", "WEBP")] * 10
    threads = [threading.Thread(target=read, args=(data,)) for data in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (list(warnings.filters), logging.getLogger("tifffile").propagate, list(logging.getLogger("PIL").handlers)) == before


def test_only_the_last_one_out_ends_it(recwarn):
    with quiet():
        with quiet():
            pass
        warnings.warn("still inside", stacklevel=1)
    assert not recwarn.list
    warnings.warn("outside", stacklevel=1)
    assert len(recwarn.list) == 1
