"""What authors have to say about objects before they are stored: admission and conversion webhooks.

`hooks` is what an author declares, `answers` are those to what an API server asks, `serving` puts them on the network,
`trust` sees to what TLS needs, `registration` tells the API server of it all.
"""
