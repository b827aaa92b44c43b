"""`bitcoin-cli` in the sandbox's pods: speaks JSON-RPC to the pod's node as Bitcoin Core's program does.

How arguments are typed, what is printed and the exit codes were compared with the bitcoin-cli of Bitcoin Knots 29.4.
It imports little, because people and scripts start it over and over.
"""
