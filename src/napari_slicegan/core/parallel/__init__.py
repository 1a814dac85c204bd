"""Training with several processes, on one computer or on many: torch's distributed engine, and who does what."""
