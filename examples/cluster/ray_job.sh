#!/bin/bash
# Separates a bucket of photos on a Ray cluster that runs already; limpid[scale] is installed on its machines.
# A job that was stopped goes on where it stood when --resume is added.
set -eu
ray job submit --address http://127.0.0.1:8265 -- \
    limpid separate s3://photos/in -o s3://photos/out --engine ray --address auto --workers 16 --threads 2 --max-memory 2GB --quiet
