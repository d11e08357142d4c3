"""What is kept between requests, in memory and in `state.db`."""
