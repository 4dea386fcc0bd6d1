"""Access: what is held about a person, for the person who asks.

Nobody else is in it: other images, faces and names are counted or called "another image". `collection` reads the
tables, `shown` says which names and paths are the person's own, `images` tells each image, `page` writes the page.
"""
