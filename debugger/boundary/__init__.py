"""Boundary of the process: one function, with a kind and a value, for whatever leaves it.

boundary = Boundary(MaskingOptions())
boundary.release(Kind.TEXT, "call +49 171 1234567")  # "call [phone]"
boundary.release(Kind.TIME, 1785200000000)  # the same number
"""

from debugger.boundary.boundary import SECRETS_ONLY as SECRETS_ONLY
from debugger.boundary.boundary import Boundary as Boundary
from debugger.boundary.boundary import release_address as release_address
from debugger.boundary.boundary import release_line as release_line
from debugger.boundary.kinds import Kind as Kind
from debugger.boundary.own_names import own_names as own_names
from debugger.boundary.process_secrets import register_process_secrets as register_process_secrets
from debugger.boundary.rules import RULES as RULES
from debugger.boundary.rules import MaskingOptions as MaskingOptions
