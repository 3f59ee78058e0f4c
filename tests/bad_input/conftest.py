from tests.ingest.fixtures import clock, deliver, gateway, hints, secret, source

__all__ = ["clock", "deliver", "gateway", "hints", "secret", "source"]
