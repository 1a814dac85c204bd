"""The library: numpy and torch, no napari and no Qt."""

import os

# OpenMP threads that wait by spinning take the cores from each other as soon as anything else runs: training then
# slows down many times over. It has to be said before torch is first imported; a user's own setting stands.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
