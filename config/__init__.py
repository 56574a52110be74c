"""Settings, the demo county and the interface texts; imports none of the other packages."""
