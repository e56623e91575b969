"""Where a peer finds its servers."""

import os

environment = os.environ  # noqa: TID251  A peer has none of our settings.
AMQP_URL = environment.get("BENCH_AMQP_URL", "")
DATABASE_URL = environment.get("BENCH_DATABASE_URL", "postgresql+psycopg://")  # Who only sends has none.
