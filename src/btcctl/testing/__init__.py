"""Fakes that are products: FakeClock, FakeClient. Verified against the real thing by the same tests."""
