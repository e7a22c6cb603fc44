"""The specimen brochure that is given until the school's own is there: eight A4 pages, composed by typst."""
