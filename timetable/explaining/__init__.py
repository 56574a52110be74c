"""Why a register has no table, and which concessions, each tried, would give it one."""
