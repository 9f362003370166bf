// No module, which a page from the disk may not start as a worker.
// One photo through one network, as the command line runs it: preview, tiles or the whole, confidence, strength.
const TILE = 512, HALO = 64, WORKING = 1024, PREVIEW = 640, WINDOW = 31;
const sessions = new Map();
let files = {}; // of the page that is one file: name → Blob
let engine = null; // { ort, providers, name }

self.onmessage = async ({ data: job }) => {
  if (job.files) { files = job.files; return; }
  const started = performance.now();
  try {
    const { layers, confidence } = await withAnyEngine(job);
    self.postMessage({ layers, confidence, engine: engine.name, seconds: (performance.now() - started) / 1000 });
  } catch (error) {
    self.postMessage({ error: error.message || String(error) });
  }
};

async function withAnyEngine(job) {
  engine ||= await onGraphics(job.network.webgpu) || await onProcessor();
  try {
    return await separate(job);
  } catch (error) {
    if (engine.name !== "WebGPU") throw error;
    engine = await onProcessor(); // what the graphics card cannot do, the processor can
    sessions.clear();
    return separate(job);
  }
}

// WebGPU, where the page brings it and the browser has an adapter and lets WebAssembly wait for it.
async function onGraphics(brought) {
  if (!brought || !navigator.gpu || !WebAssembly.Suspending) return null;
  try {
    if (!(await navigator.gpu.requestAdapter())) return null;
    const ort = await import(place("ort.jspi.mjs"));
    ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
    return { ort, providers: ["webgpu"], name: "WebGPU" };
  } catch {
    return null;
  }
}

async function onProcessor() {
  const ort = await import(place("ort.mjs")), binary = files["ort-wasm-simd-threaded.wasm"];
  if (binary) ort.env.wasm.wasmBinary = await binary.arrayBuffer();
  else ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency || 1) : 1;
  return { ort, providers: ["wasm"], name: `WebAssembly, ${ort.env.wasm.numThreads} threads` };
}

const place = (name) => (files[name] ? URL.createObjectURL(files[name]) : new URL(name, self.location.href).href);

async function opened(file) {
  if (!sessions.has(file)) {
    const content = files[file] ? await files[file].arrayBuffer() : await (await fetch(place(file))).arrayBuffer();
    sessions.set(file, await engine.ort.InferenceSession.create(content, { executionProviders: engine.providers }));
  }
  return sessions.get(file);
}

async function separate({ network, strength, width, height, data }) {
  const session = await opened(network.file);
  const names = network.layers, primary = names[0];
  const full = planes(data, width * height);
  let confidence = 1;
  if (network.whole_confidence) {
    const [w, h] = fitted(width, height, PREVIEW);
    const small = scaled(full, width, height, w, h);
    confidence = smoothstep(meanChange(small, (await run(session, network, small, w, h))[primary]), network.whole_confidence);
  }
  const [w, h] = network.rebuilds ? fitted(width, height, WORKING) : [width, height];
  const seen = w === width && h === height ? full : scaled(full, width, height, w, h);
  const found = confidence === 0 ? null : await answer(session, network, seen, w, h);
  const layers = {};
  for (const name of names) {
    const values = found && enlarged(found[name], seen, name === primary, w, h, width, height, full);
    layers[name] = pixels(data, full, values, name === primary, strength * (name === primary ? confidence : 1), confidence);
  }
  return { layers, confidence };
}

// Whole where the layers may be found at a smaller size, otherwise in tiles of which the surroundings are cut off.
async function answer(session, network, image, width, height) {
  if (network.rebuilds || (width <= TILE && height <= TILE)) {
    self.postMessage({ progress: 0.3 });
    return run(session, network, image, width, height);
  }
  const out = Object.fromEntries(network.layers.map((name) => [name, new Float32Array(3 * width * height)]));
  const step = TILE - 2 * HALO, rows = starts(height, step), columns = starts(width, step);
  let done = 0;
  for (const top of rows) for (const left of columns) {
    const tall = Math.min(TILE, height - top), wide = Math.min(TILE, width - left);
    const part = await run(session, network, cut(image, width, height, top, left, tall, wide), wide, tall);
    const [y, x] = [top ? HALO : 0, left ? HALO : 0];
    for (const name of network.layers) paste(out[name], width, height, part[name], wide, tall, top, left, y, x);
    self.postMessage({ progress: ++done / (rows.length * columns.length) });
  }
  return out;
}

function starts(length, step) {
  const found = [0];
  while (found.at(-1) + TILE < length) found.push(found.at(-1) + step);
  return found;
}

async function run(session, network, image, width, height) {
  const up = (side) => Math.ceil(Math.max(side, network.minimum) / network.multiple) * network.multiple;
  const [tall, wide] = network.size || [up(height), up(width)];
  if (tall < height || wide < width) throw new Error(`the network takes ${wide} × ${tall} pixels at most`);
  const padded = new Float32Array(3 * tall * wide);
  for (let c = 0; c < 3; c++) for (let y = 0; y < tall; y++) for (let x = 0; x < wide; x++) {
    padded[(c * tall + y) * wide + x] = image[(c * height + Math.min(y, height - 1)) * width + Math.min(x, width - 1)];
  }
  const given = { [session.inputNames[0]]: new engine.ort.Tensor("float32", padded, [1, 3, tall, wide]) };
  const answered = await session.run(given);
  const layers = {};
  for (const name of network.layers) layers[name] = cut(answered[name].data, wide, tall, 0, 0, height, width);
  for (const name of Object.keys(answered)) answered[name].dispose();
  if (network.local_confidence) blend(image, layers, network, width, height);
  return layers;
}

// Small changes are taken back where they are small on average around a pixel.
function blend(image, layers, network, width, height) {
  const primary = network.layers[0], n = width * height, change = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) change[i] += Math.abs(image[c * n + i] - unit(layers[primary][c * n + i])) / 3;
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const i = (y + 1) * (width + 1) + x + 1;
    sums[i] = change[y * width + x] + sums[i - 1] + sums[i - width - 1] - sums[i - width - 2];
  }
  const r = WINDOW >> 1;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const [t, b, l, e] = [Math.max(0, y - r), Math.min(height, y + r + 1), Math.max(0, x - r), Math.min(width, x + r + 1)];
    const s = (yy, xx) => sums[yy * (width + 1) + xx];
    const mean = (s(b, e) - s(t, e) - s(b, l) + s(t, l)) / ((b - t) * (e - l));
    const believed = smoothstep(mean, network.local_confidence);
    for (const name of network.layers) for (let c = 0; c < 3; c++) {
      const i = c * n + y * width + x;
      layers[name][i] = name === primary ? image[i] + believed * (layers[name][i] - image[i]) : believed * layers[name][i];
    }
  }
}

// A layer found at a smaller size, at full size: of the first one its change is enlarged, which is smooth where the layer has detail.
function enlarged(layer, seen, isPrimary, w, h, width, height, full) {
  if (w === width && h === height) return layer;
  const small = isPrimary ? layer.map((value, i) => seen[i] - value) : layer;
  const large = scaled(small, w, h, width, height);
  return isPrimary ? large.map((value, i) => full[i] - value) : large;
}

function pixels(data, full, values, isPrimary, amount, confidence) {
  const n = data.length / 4, out = new Uint8ClampedArray(data);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) {
    const was = full[c * n + i], is = values ? unit(values[c * n + i]) : 0;
    const value = isPrimary ? (values ? was + amount * (is - was) : was) : confidence * is;
    out[4 * i + c] = Math.round(255 * value);
  }
  return out;
}

const unit = (value) => Math.min(1, Math.max(0, value));
const smoothstep = (value, [low, high]) => { const t = unit((value - low) / (high - low)); return t * t * (3 - 2 * t); };
const fitted = (w, h, longest) => { const s = Math.min(1, longest / Math.max(w, h)); return [Math.max(1, Math.round(w * s)), Math.max(1, Math.round(h * s))]; };

function planes(data, n) {
  const out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) out[c * n + i] = data[4 * i + c] / 255;
  return out;
}

function meanChange(image, primary) {
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += Math.abs(image[i] - unit(primary[i]));
  return sum / image.length;
}

function cut(image, width, height, top, left, tall, wide) {
  const out = new Float32Array(3 * tall * wide);
  for (let c = 0; c < 3; c++) for (let y = 0; y < tall; y++) {
    const from = (c * height + top + y) * width + left;
    out.set(image.subarray(from, from + wide), (c * tall + y) * wide);
  }
  return out;
}

function paste(out, width, height, part, wide, tall, top, left, skipY, skipX) {
  for (let c = 0; c < 3; c++) for (let y = skipY; y < tall; y++) {
    const from = (c * tall + y) * wide;
    out.set(part.subarray(from + skipX, from + wide), (c * height + top + y) * width + left + skipX);
  }
}

// Planes resized: by averages of areas when smaller, bilinearly when larger.
function scaled(image, w, h, width, height) {
  if (w === width && h === height) return image;
  const across = weights(w, width), down = weights(h, height);
  const middle = new Float32Array(3 * h * width), out = new Float32Array(3 * height * width);
  for (let row = 0; row < 3 * h; row++) for (let x = 0; x < width; x++) {
    let sum = 0;
    for (const [from, share] of across[x]) sum += share * image[row * w + from];
    middle[row * width + x] = sum;
  }
  for (let c = 0; c < 3; c++) for (let y = 0; y < height; y++) for (const [from, share] of down[y]) {
    const [source, target] = [(c * h + from) * width, (c * height + y) * width];
    for (let x = 0; x < width; x++) out[target + x] += share * middle[source + x];
  }
  return out;
}

function weights(from, to) {
  const scale = from / to, found = [];
  for (let i = 0; i < to; i++) {
    const taps = [];
    if (scale > 1) {
      for (let j = Math.floor(i * scale); j < Math.min(from, Math.ceil((i + 1) * scale - 1e-9)); j++) {
        taps.push([j, (Math.min(j + 1, (i + 1) * scale) - Math.max(j, i * scale)) / scale]);
      }
    } else {
      const place = Math.max(0, (i + 0.5) * scale - 0.5), j = Math.min(from - 1, Math.floor(place)), part = place - j;
      taps.push([j, 1 - part], [Math.min(from - 1, j + 1), part]);
    }
    found.push(taps);
  }
  return found;
}
