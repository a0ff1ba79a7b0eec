"""Freedoms of files and records."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import numpy as np

from conformance.defects.changes import answer, caught, every, function, method, result
from conformance.twins import rows
from reference_impl.atomic import atomic_write
from reference_impl.batch import dataset
from reference_impl.data import load, record
from reference_impl.errors import ContractError

FILES = ("test_data", "test_data_layout", "test_data_mask", "test_data_properties")


class Unreadable(ValueError):
    """An input error of another house."""


def files_are_compressed_and_say_who_wrote_them(original, self, path):
    original(self, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    with atomic_write(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays, written_by=np.array("another house"))


def misfits_have_the_words_of_their_clause(error, path, *_):
    words = [said for said in ("Every pattern needs a position", "matching shapes") if said in str(error)]
    return Unreadable(f"{path}: {words[0]}") if words else error


def flips_keep_the_range_of_the_scan(original, raw, flip_x, flip_y, *rest):
    for axis, flip in (("xcoords", flip_x), ("ycoords", flip_y)):
        names = (axis, f"{axis}_start") if flip else ()
        vars(raw).update({n: 2 * np.mean(getattr(raw, axis)) - getattr(raw, n) for n in reversed(names)})
    return original(raw, False, False, *rest)


def records_have_another_memory(found):
    narrow = found.scan_index.astype(np.int32)
    found.diff3d = np.asfortranarray(found.diff3d)
    found.scan_index = narrow if np.array_equal(narrow, found.scan_index) else found.scan_index
    found.diff3d.flags.writeable = False
    found.origin = "further"
    return found


def masks_are_stored_as_bytes(original, self, path):
    other = copy.copy(self)
    other.mask = None if self.mask is None else self.mask.astype(np.uint8)
    original(other, path)


def files_are_big_endian_and_by_columns(original, path, arrays):
    turned = {name: np.asfortranarray(value) for name, value in sorted(arrays.items(), reverse=True)}
    original(path, {name: v.astype(v.dtype.newbyteorder(">")) if v.dtype.kind in "fc" else v for name, v in turned.items()})


def a_digest_lies_beside(original, self, path):
    original(self, path)
    Path(f"{path}.sha256").write_text(hashlib.sha256(Path(path).read_bytes()).hexdigest())


def a_batch_has_a_mask_for_each_channel(original, self, rows):
    fields, *rest = original(self, rows)
    if "mask" in fields.keys():
        fields["mask"] = fields["mask"].expand(fields["images"].shape).clone()
    return fields, *rest


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-compressed-files", "files are compressed and hold further keys", files=FILES,
    plant=method(record.RawData, "to_file", files_are_compressed_and_say_who_wrote_them))
twin("TWIN-big-endian-files", "files are big-endian and lie in Fortran order, their members from the last to the first",
    files=FILES, plant=function(record.write_npz, files_are_big_endian_and_by_columns))
twin("TWIN-digests-beside-files", "a digest lies beside each file that is written", files=(*FILES, "test_data_kept"),
    plant=method(record.RawData, "to_file", a_digest_lies_beside))
twin("TWIN-flip-about-the-centre", "a flip is a mirror at the centre of the scan", files=FILES,
    plant=function(load._transform_positions, flips_keep_the_range_of_the_scan))
twin("TWIN-other-errors", "input errors are of another class and in other words", files=FILES,
    plant=answer("read",
        caught(ContractError, lambda error, *_: Unreadable(f"the data cannot be used: {error} (see the manual)"))))
twin("TWIN-other-memory", "arrays of a record are read-only and in Fortran order, indices of 32 bits", files=FILES,
    plant=every(*(answer(name, result(records_have_another_memory)) for name in ("read", "record"))))
twin("TWIN-masks-of-bytes", "masks are stored as bytes", files=("test_data_mask",),
    plant=method(record.RawData, "to_file", masks_are_stored_as_bytes))
twin("TWIN-masks-of-channels", "a batch has a mask for each channel", files=("test_batch_mask",),
    plant=method(dataset.PtychoDataset, "__getitems__", a_batch_has_a_mask_for_each_channel))
twin("TWIN-words-of-the-clause", "what does not fit together is told in the words of two clauses alone",
    files=("test_data_arrays",), plant=answer("read", caught(ContractError, misfits_have_the_words_of_their_clause)))
