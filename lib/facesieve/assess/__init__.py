"""Side jobs that measure: evaluate, calibrate, report."""
