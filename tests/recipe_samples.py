"""A small recipe that has every section, and places for its names."""

EXAMPLE = """\
# A small recipe for tests.
name: errnet
source: Wei et al., CVPR 2019; constants from the published code
seed: 2018
comment: ""
model: {name: errnet, size: hypercolumn}
data:
  train:
    - {name: mixture, weight: 0.7, transmission: $VOC, mixtures: [{name: subtractive}]}
    - {name: pairs, weight: {0: 0.3, 45: 0.5}, root: "${REAL}/89"}
  augment: {short_side: [224, 448], crop: 224, flip: 0.5}
  validate: [{name: pairs, root: $VAL, count: 50}]
  test: {table2: {name: pairs, root: $VAL}}
  epoch: 7732
  batch: 1
  workers: 1
procedure: {name: adversarial, discriminator: errnet_vgg, discriminator_first: true}
losses:
  - {name: l1, weight: 0.2, on: [transmission]}
  - {name: gradient, weight: 0.1, label: grad, on: {transmission: 1, reflection: 0.5}, only: [synthetic, aligned]}
  - {name: adversarial, weight: {0: 0, 20: 0.01}, label: adv, only: [synthetic, aligned, unaligned]}
optimiser: {name: adam, rate: {0: 1e-4, 30: 5.0e-5}, betas: [0.9, 0.999], decay: 0}
discriminator: {name: adam, rate: 1.0e-4}
schedule: {name: constant}
train: {epochs: 60, precision: float32, ema: 0.999, clip: null, accumulate: 1, devices: 1, threads: null}
log: {every: 50, images: 10, photos: null, keep: 2, save_every: 1, history: 20}
"""
PLACES = ("VOC=/voc", "REAL=/real", "VAL=/val")
