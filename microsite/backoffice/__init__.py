"""Front door: staff's pages, under /admissions; nowhere else is there a session or a cookie."""
