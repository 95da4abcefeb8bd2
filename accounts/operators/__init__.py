"""What the operators' pages are made of: the site, its places, what needs somebody and
what a search finds. Every app registers its own.
"""
