"""The debugger for editors: the Debug Adapter Protocol, a message at a time.

Comes in: requests.  Goes out: responses and events.  `adapter` holds the session, `requests` is the
table of what it answers.
"""
