"""The keys of the house: the command `tejido`."""
