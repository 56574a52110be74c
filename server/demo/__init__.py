"""The demo county, loaded through the same import path a real county uses."""
