"""The published table on dates: versions, closings, changes of one day and what stands in their way."""
