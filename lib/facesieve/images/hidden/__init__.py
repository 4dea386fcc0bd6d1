"""Images whose paths are hidden from the tables (`lake.store_paths`): a source that goes by hidden uris."""
