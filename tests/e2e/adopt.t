#!/bin/bash
# A project of most build systems; `make check-adopt` takes them all, and those that need minutes.
exec "$(dirname "$0")/../adopt/adopt" often
