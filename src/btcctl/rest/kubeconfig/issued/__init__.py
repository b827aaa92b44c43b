"""Credentials that a program or an identity provider issues, and that end. Loaded where a user has such ones.

exec_plugin, plugin_process   what a program of the user's says
auth_provider                 OIDC, by the `kubernetes` package; nothing else here imports that
renewal                       one run at a time, pauses after failures, the old credential until its end
session                       the first login, and what it comes to
"""
