"""Where images come from. Nothing here ever writes to a source.

To add a source:

1. Write one module with a class that has what `protocol.Source` asks for (`parquet` is a model).
2. Let `images` return the columns of `protocol.SOURCE_IMAGES`; give `content`, or leave it null (`carries_content`).
3. Add the class under the name of its format to `sources._SOURCES`.
4. Add that name to `Images.format` in `core/sections.py`, and to the comment on the key in `conf/pipeline.toml`.
5. Write `tests/images/test_NAME.py`: what is an image, what is ignored, and each fault of `check`.
"""
