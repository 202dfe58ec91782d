"""The studio and the relay: local web apps, the pages they serve, and what keeps strangers out of them."""
