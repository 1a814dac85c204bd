"""Python imports this at its start where the folder is on its path: processes that tests start are watched too."""

import loopback_only

loopback_only.watch()
