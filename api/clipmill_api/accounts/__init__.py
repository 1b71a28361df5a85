"""What an owner's tier and the installation allow.

In: an owner's name. Out: the output policy (size, rate, watermark) of its tier.
"""
