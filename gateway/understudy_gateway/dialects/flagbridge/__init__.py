"""FlagBridge's API over HTTP (`/v1`): test sessions with flags of their own, evaluation, and the management of flags.

A translation and nothing else: each request becomes calls of Understudy's RPCs, made with the key that the request
carries, and their answers become FlagBridge's. What a key may do, and where, the server decides.
"""
