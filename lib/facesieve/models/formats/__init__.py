"""One module per form of model file, and what these modules share: graphs, layers, parsers."""
