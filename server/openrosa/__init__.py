"""The phones' door: the OpenRosa protocol, as ODK Collect speaks it."""
