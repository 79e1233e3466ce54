"""The road: how parcels travel between a hub, a national server and other ODK servers."""
