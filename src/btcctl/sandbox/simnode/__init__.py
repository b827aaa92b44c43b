"""A simulated Bitcoin node: one process that behaves, towards a controller, as bitcoind does on regtest.

What it imitates was measured on Bitcoin Core: the timing of addnode, the JSON-RPC over HTTP
with its status codes, warm-up, a chain that re-organises, transactions and wallets, but
no scripts and no signatures. `chain/` and most of `p2p/` and `rpc/` are pure; the sockets are in
`p2p/network.py` and `rpc/http.py`.
"""
