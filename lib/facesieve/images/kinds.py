"""The kinds of things that are ignored, and of which of them something may be lost."""

from __future__ import annotations

from facesieve.images.protocol import Sort

UNREADABLE = "unreadable folder"
LINK_TO_FOLDER = "link to a folder"
LINK_OUT = "link out of the root"
SPECIAL = "not a regular file"
NO_SUFFIX = "no suffix"

LINKS = frozenset({LINK_TO_FOLDER, LINK_OUT})
UNREADABLES = frozenset({UNREADABLE})

DECODABLE = frozenset({".gif", ".tif", ".tiff"})
"""Suffixes of formats that `embed.formats` knows and that are no default."""

_FOREIGN = """
.heic .heif .hif .avif .jp2 .j2k .j2c .jpc .jpx .jxl .jxr .wdp .hdp .tga .pcx .sgi .ras .exr .hdr .pfm .pam .pbm
.psd .ico .dib .dcm .raw .dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .orf .rw2 .raf .pef .srw .x3f .3fr .iiq
"""
_ARCHIVES = """
.zip .tar .tgz .tbz .tbz2 .txz .tzst .gz .bz2 .xz .zst .lz4 .7z .rar .cab .iso .squashfs
.tfrecord .tfrecords .rec .lmdb .mdb .h5 .hdf5 .npz .arrow .feather .webdataset .beton
"""

FOREIGN = frozenset(_FOREIGN.split())
"""Suffixes of image formats that nothing here decodes."""

ARCHIVES = frozenset(_ARCHIVES.split())
"""Suffixes of files that hold other files, or packed records."""

PARQUET = frozenset({".parquet"})

_MAYBE = LINKS | DECODABLE | FOREIGN | ARCHIVES | PARQUET


def sort_of(kind: str) -> Sort:
    """Say what may be lost with a kind that is a suffix in lower case, or one of the words above.

    >>> sort_of(".heic"), sort_of(".txt"), sort_of("unreadable folder")
    (<Sort.MAYBE: 'could be an image'>, <Sort.NO_IMAGE: 'no image'>, <Sort.UNREADABLE: 'not readable'>)
    """
    if kind in UNREADABLES:
        return Sort.UNREADABLE
    return Sort.MAYBE if kind in _MAYBE else Sort.NO_IMAGE
