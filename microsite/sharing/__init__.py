"""Support: what search engines, messengers and social networks are told of a page, and the picture they show."""
