"""`srlab-report`: what runs came to, as one page to look at. `gather` reads, `viewer` draws, `page` writes."""
