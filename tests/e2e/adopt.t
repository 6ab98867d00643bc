#!/bin/bash
# Two projects that need little; `make check-adopt` takes them all. Other build systems: own_tests.bats, cargo.bats.
exec "$(dirname "$0")/../adopt/adopt" often
