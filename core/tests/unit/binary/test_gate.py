from __future__ import annotations

import pytest

from purewasm.binary.gate import need, refuse_above
from purewasm.errors import UnsupportedError
from purewasm.wasm.features import EXCEPTIONS, LEGACY_EXCEPTIONS, SIMD


def test_one_of_several_features_is_enough() -> None:
    need(LEGACY_EXCEPTIONS, EXCEPTIONS | LEGACY_EXCEPTIONS, "a tag")


def test_the_error_names_the_feature() -> None:
    with pytest.raises(UnsupportedError, match=r"^the type v128 needs the feature 'simd', which is off$") as caught:
        need(EXCEPTIONS, SIMD, "the type v128")
    assert caught.value.feature == "simd"


def test_the_limit_itself_is_allowed() -> None:
    refuse_above(2, 2, "memories")
    with pytest.raises(UnsupportedError, match="too many memories: 3"):
        refuse_above(2, 3, "memories")
