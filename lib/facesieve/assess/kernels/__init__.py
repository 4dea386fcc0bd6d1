"""Arrays in, arrays out: agreement of clusterings, calibration of cosines."""
