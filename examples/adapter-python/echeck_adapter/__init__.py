"""What every adapter in Python shares: the calls, the cursor, the errors and the process. An adapter
says what a step means for its own table, and calls `run`."""

from echeck_adapter.process import run as run
from echeck_adapter.request import NEW_TRANSFER as NEW_TRANSFER
