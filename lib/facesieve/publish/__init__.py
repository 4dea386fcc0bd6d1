"""The step from decisions to the cleaned data set and its exports."""
