"""How fast Shelfcast is, as ratios against floors measured in the same run: `python -m bench`, or `make bench`."""
