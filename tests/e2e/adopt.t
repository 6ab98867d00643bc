#!/bin/bash
# One project of each build system; `make check-adopt` takes them all.
exec "$(dirname "$0")/../adopt/adopt" often
