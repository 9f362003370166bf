#!/bin/bash
# Trains a recipe with torchrun, here on one machine; more of them: --nnodes, --rdzv-backend c10d, --rdzv-endpoint HOST:PORT.
set -eu
export LEAVES512=/data/leaves512 HELD=/data/kodak24
torchrun --standalone --nproc-per-node 4 -m limpid train nafnet_denoise_leaves --device cuda --name torchrun
