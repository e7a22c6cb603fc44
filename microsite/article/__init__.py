"""Front door: the articles, the legal pages, and the page that joins an article to the three forms."""
