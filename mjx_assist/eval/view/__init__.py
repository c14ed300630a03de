"""Looking at a walk: window, browser, film, strips of pictures."""
