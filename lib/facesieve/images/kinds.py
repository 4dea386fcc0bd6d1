"""The kinds of things that are left out of a tree, and what may be lost with each."""

from __future__ import annotations

from facesieve.images.protocol import Sort

UNREADABLE = "unreadable folder"
UNREADABLE_FILE = "unreadable file"
LINK_TO_NOTHING = "link to nothing"
LINK_TO_FOLDER = "link to a folder"
LINK_OUT = "link out of the root"
LINK_LISTED = "link to a folder that is listed already"
SPECIAL = "not a regular file"
NO_SUFFIX = "no suffix"
IMAGE_FILE = "image file"
UNNAMED_PARQUET = "Parquet file without its suffix"
HIDDEN_PARQUET = "Parquet file with _ or . before its name"
EMPTY_PACK = "pack without bytes"
OUTSIDE_INDEX = "pack with records that its index does not name"
ARCHIVE = "archive"
UNPACKED = "archive beside a folder of its name"
UNLABELLED = "label without a name"

LINKS = frozenset({LINK_TO_FOLDER, LINK_OUT})
UNREADABLES = frozenset({UNREADABLE, UNREADABLE_FILE, LINK_TO_NOTHING})

FORMATS = {
    **dict.fromkeys((".gif",), "GIF"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".avif",), "AVIF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".jp2", ".j2k", ".j2c", ".jpc", ".jpx"), "JPEG2000"),
    **dict.fromkeys((".jxl",), "JXL"),
}
"""Suffixes of formats that `embed.formats` may name and does not by default, with the name of the format."""

DECODABLE = frozenset(FORMATS)

IMAGES = frozenset({*(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"), *(".bmp", ".ppm", ".pgm", ".pnm", ".pbm")})
"""Suffixes of formats that are decoded, where `images.suffixes` does not name them."""

_FOREIGN = """
.jxr .wdp .hdp .tga .pcx .sgi .ras .exr .hdr .pfm .pam .psd .ico .dcm
.raw .dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .orf .rw2 .raf .pef .srw .x3f .3fr .iiq
"""
_ARCHIVES = """
.zip .tar .tgz .tbz .tbz2 .txz .tzst .gz .bz2 .xz .zst .lz4 .7z .rar .cab .iso .squashfs
.lmdb .mdb .h5 .hdf5 .npz .arrow .feather .webdataset .beton
"""
_OTHERS = """
.txt .text .md .rst .csv .tsv .json .jsonl .ndjson .geojson .xml .yaml .yml .toml .ini .cfg .conf .log .html .htm
.xhtml .mhtml .css .scss .js .mjs .ts .map .py .pyc .pyi .ipynb .c .h .cc .cpp .hpp .java .class .jar .go .rs .rb .pl
.sh .bat .cmd .ps1 .sql .tex .bib .pdf .doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp .rtf .svg .eps .ps .ai .ttf
.pts .pt3 .lm .lab .lst .list .names .mat .npy .pkl .pickle .joblib .pt .pth .ckpt .safetensors .pb .onnx .tflite .keras
.mp4 .m4v .mov .avi .mkv .webm .mpg .mpeg .wmv .flv .3gp .mts .m2ts .mp3 .wav .flac .ogg .oga .opus .m4a .aac .wma
.aae .xmp .db .sqlite .sqlite3 .exe .dll .so .msi .apk .lnk .url .webloc .desktop .lock .md5 .sha1 .sha256 .sfv .torrent
"""

FOREIGN = frozenset(_FOREIGN.split())
"""Suffixes of image formats that nothing here decodes."""

ARCHIVES = frozenset(_ARCHIVES.split())
"""Suffixes of files that hold other files, or packed records."""

OPENED = frozenset({".zip", ".tar", ".tgz", ".gz"})
"""Suffixes among these of files that may be opened."""

PARQUET = frozenset({".parquet"})

RECORDIO = frozenset({".rec"})
TFRECORD = frozenset({".tfrecord", ".tfrecords", ".tfrec"})
PACKS = RECORDIO | TFRECORD
"""Suffixes of files of many images that a format of its own reads."""

PICTURES = IMAGES | DECODABLE | FOREIGN
"""Suffixes of images, whatever is decoded and wanted."""

TOLD_BY_SUFFIX = frozenset({".gif", ".tif", ".tiff"}) | ARCHIVES | PARQUET | PACKS | frozenset(_OTHERS.split())
"""Files with these suffixes are never opened: a collection may have one beside each image."""

_MAYBE = LINKS | PICTURES | ARCHIVES | PARQUET | {IMAGE_FILE, UNNAMED_PARQUET, HIDDEN_PARQUET, UNPACKED}
_MAYBE |= PACKS | {EMPTY_PACK, OUTSIDE_INDEX}


def sort_of(kind: str) -> Sort:
    """Say what may be lost with a kind that is a suffix in lower case, or one of the words above.

    >>> sort_of(".heic"), sort_of(".txt"), sort_of("unreadable folder")
    (<Sort.MAYBE: 'could be an image'>, <Sort.NO_IMAGE: 'no image'>, <Sort.UNREADABLE: 'not readable'>)
    """
    if kind in UNREADABLES:
        return Sort.UNREADABLE
    return Sort.MAYBE if kind in _MAYBE else Sort.NO_IMAGE
