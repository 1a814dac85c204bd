"""How far volumes differ from a micrograph, measured by what the micrograph itself can tell."""
