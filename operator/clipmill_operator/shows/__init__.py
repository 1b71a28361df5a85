"""Shows in the cluster: registration, discover Jobs, status and events.

In: observed Shows, views and due episodes of the Clipmill API. Out: registered generations,
discover Jobs with their Secrets, reports of failed ones, the status and events of each Show. The
API decides when an episode starts and which clips it has.
"""
