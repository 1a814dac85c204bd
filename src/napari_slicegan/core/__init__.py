"""The library: numpy and torch, no napari and no Qt."""

import os

# OpenMP threads that wait by spinning take the cores from each other as soon as anything else runs: training then
# slows down many times over. A short spin costs little on a quiet machine and little on a busy one. It has to be said
# before torch is first imported; a user's own setting stands.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "1000"
