"""The step from clusters to decisions: one verdict per image, with reasons, evidence and confidence."""
