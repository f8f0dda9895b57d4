import pytest

import engine
from matrix import CASES


def pytest_generate_tests(metafunc):
    """A test that takes `case` runs with every case of the matrix."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", list(CASES))


@pytest.fixture
def documents(case):
    """The manifests of a case."""
    values, how = CASES[case]
    return engine.manifests(values, **how)
