// Recordings out of JSON: ossein's own, MediaPipe's landmarks, COCO's keypoints.
//
// Whatever the file, what comes out is { name, frames, persons, joints, dims, x, score, size, rate }: see resample.js. Persons are
// told apart by their order in a frame, or their track_id; to follow several through time, start `ossein serve BUNDLE FILE`.

const IMAGE = ["landmarks", "pose_landmarks", "poseLandmarks", "hand_landmarks", "handLandmarks", "multiHandLandmarks"];
const WORLD = ["poseWorldLandmarks", "pose_world_landmarks", "worldLandmarks", "world_landmarks"];
const SEEN = [0, 0.5, 1]; // COCO's visibility as a score

/** Frames per second where a recording does not say. */
const RATE = 30;

/**
 * @param {any} data what the file holds, parsed
 * @param {string} name what to call it
 * @param {number} dims the coordinates that are wanted, 2 or 3, of files that have both
 */
export function readRecording(data, name, dims) {
  if (data?.format === "ossein-recording") return own(data, name);
  if (Array.isArray(data?.annotations) || (Array.isArray(data) && data[0]?.keypoints)) return coco(data, name);
  const frames = data?.frames ?? data;
  if (!Array.isArray(frames) || frames.length === 0) {
    throw new Error("No frames in it. Known are ossein's recordings, MediaPipe landmarks and COCO keypoints, as JSON.");
  }
  return mediapipe(data, frames, name, dims);
}

function own(data, name) {
  return pack(data.frames, { name: data.name || name, size: data.size, rate: data.rate });
}

/** A list with an entry a frame, or { frames, fps, width, height }; see `ossein.readers.mediapipe`. */
function mediapipe(data, frames, name, dims) {
  const size = data.width > 0 && data.height > 0 ? [data.width, data.height] : [1, 1];
  const keys = dims === 3 ? [...WORLD, ...IMAGE] : [...IMAGE, ...WORLD];
  let flat = true;
  const poses = frames.map((entry) => {
    const key = keys.find((one) => entry?.[one]);
    const people = persons(key ? entry[key] : entry?.landmark ? entry : Array.isArray(entry) ? entry : null);
    flat &&= !WORLD.includes(key);
    return people.map((person) => person.map((joint) => landmark(joint, WORLD.includes(key) ? null : size)));
  });
  for (const pose of poses.flat()) if (pose.every((joint) => !joint.at(-1))) pose.forEach((joint) => (joint[joint.length - 1] = 1));
  return pack(poses, { name, size: flat ? size : null, rate: data.fps });
}

function persons(entry) {
  if (!entry || entry.length === 0) return [];
  const list = entry.landmark ? [entry] : isJoint(entry[0]) ? [entry] : entry;
  return list.map((person) => person?.landmark ?? person ?? []);
}

function isJoint(value) {
  return Array.isArray(value) ? typeof value[0] === "number" : value !== null && typeof value === "object" && "x" in value;
}

/** [x, y, score] in the unit of the image, or [x, y, z, score] in metres where there is no image. */
function landmark(joint, size) {
  const [x, y, z, visibility] = Array.isArray(joint) ? joint : [joint.x, joint.y, joint.z, joint.visibility];
  const score = visibility ?? 1;
  return size ? [x * size[0], y * size[1], score] : [x, y, z, score];
}

/** A list of detections as pose estimators write it, or the annotation form; see `ossein.readers.coco`. */
function coco(data, name) {
  const annotated = !Array.isArray(data);
  const numbers = new Map((data.images ?? []).map((image) => [image.id, number(image.frame_id ?? image.file_name ?? image.id)]));
  const found = (annotated ? data.annotations : data).filter((one) => one.keypoints);
  const at = found.map((one) => (annotated ? numbers.get(one.image_id) : number(one.image_id)));
  const all = annotated ? [...numbers.values()] : at;
  const first = Math.min(...all);
  const frames = Array.from({ length: Math.max(...all) - first + 1 }, () => []);
  const tracks = [...new Set(found.map(track))];
  found.forEach((one, i) => {
    const here = frames[at[i] - first];
    const place = tracks.includes(undefined) ? here.length : tracks.indexOf(track(one));
    here[place] = triples(one.keypoints, annotated);
  });
  const sizes = new Set((data.images ?? []).map((image) => `${image.width} ${image.height}`));
  const image = sizes.size === 1 ? data.images[0] : {};
  return pack(frames.map((some) => Array.from(some)), { name, size: image.width > 0 && image.height > 0 ? [image.width, image.height] : null });
}

function track(one) {
  const value = one.track_id ?? one.idx;
  return Array.isArray(value) ? value[0] : value;
}

/** The frame's number: a number, or the last one in a file's name. */
function number(value) {
  const digits = typeof value === "number" ? value : String(value).replace(/\.\w+$/, "").match(/\d+/g)?.at(-1);
  if (digits === undefined) throw new Error(`There is no frame number in '${value}'.`);
  return Number(digits);
}

function triples(flat, annotated) {
  return Array.from({ length: flat.length / 3 }, (_, v) => {
    const [x, y, score] = flat.slice(3 * v, 3 * v + 3);
    return [x, y, annotated ? SEEN[score] : Math.min(1, score)];
  });
}

/** Frames of persons of joints [..., score] as arrays; whoever is null or missing is absent. */
function pack(frames, { name, size, rate }) {
  const first = frames.flat().find((person) => person?.length);
  if (!first) throw new Error("Nobody is seen in any frame of it.");
  const [V, C] = [first.length, first[0].length - 1];
  const [L, M] = [frames.length, Math.max(...frames.map((people) => people?.length ?? 0))];
  const [x, score] = [new Float32Array(M * L * V * C), new Float32Array(M * L * V)];
  frames.forEach((people, t) =>
    (people ?? []).forEach((person, m) => {
      if (!person?.length) return;
      if (person.length !== V) throw new Error(`Frame ${t} has ${person.length} joints, those before have ${V}.`);
      person.forEach((joint, v) => place(joint, (m * L + t) * V + v, C, x, score));
    }),
  );
  return { name, frames: L, persons: M, joints: V, dims: C, x, score, size: size ?? null, rate: rate > 0 ? rate : RATE };
}

function place(joint, to, C, x, score) {
  if (!joint || !(joint[C] > 0)) return;
  if (!joint.slice(0, C).every(Number.isFinite)) throw new Error("A coordinate of a joint that was seen is no number.");
  score[to] = joint[C];
  for (let c = 0; c < C; c++) x[to * C + c] = joint[c];
}
