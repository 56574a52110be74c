"""The county over the years: the next term, the turn of the school year, schools that join or leave."""
