"""Arrays in, arrays out: the vote, structure score, attachment, constraints."""
