import pytest

import stack as running


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    made = running.Stack(tmp_path_factory.mktemp("stack"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="session")
def imported(stack):
    """The suite after an import of the sample file."""
    stack.echeck("import", stack.file, "--source", "nacha")
    return stack
