// What an exported model says of itself. onnxruntime-web does not show an ONNX file's metadata, so they are read here.
//
// An ONNX file is a protobuf message: a list of fields, each with its number and, in those that matter here, its length.
// Field 14 of a model holds its metadata: messages with a key (field 1) and a value (field 2).

const METADATA = 14;

/**
 * The metadata of an ONNX file, by key.
 *
 * @param {Uint8Array} file
 * @returns {Map<string, string>}
 */
export function readMetadata(file) {
  const found = new Map();
  for (const field of fields(file)) {
    if (field.number === METADATA) {
      const [key, value] = [1, 2].map((number) => text(fields(field.bytes), number));
      found.set(key, value);
    }
  }
  return found;
}

/** The fields of a message one after another; those that are mere numbers are passed over. */
function* fields(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let shift = 1; at < bytes.length; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw new Error("the file ends in the middle of a number");
  };
  while (at < bytes.length) {
    const tag = number();
    const kind = tag % 8;
    if (kind === 0) number();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = number();
      if (at + length > bytes.length) throw new Error("the file is cut short");
      yield { number: Math.floor(tag / 8), bytes: bytes.subarray(at, at + length) };
      at += length;
    } else throw new Error("it is no ONNX file");
  }
}

function text(parts, number) {
  for (const part of parts) if (part.number === number) return new TextDecoder().decode(part.bytes);
  return "";
}
