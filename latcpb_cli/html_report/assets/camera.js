// Rotations as quaternions [x, y, z, w], and the camera of the 3D view.

function multiply(a, b) {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

function normalized(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((x) => x / length);
}

function rotationAbout(axis, angle) {
  const [x, y, z] = normalized(axis).map((component) => component * Math.sin(angle / 2));
  return [x, y, z, Math.cos(angle / 2)];
}

// The rows of the rotation matrix, one after the other.
function rotationMatrix([x, y, z, w]) {
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
    2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
    2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
  ];
}

function rotate(quaternion, [x, y, z]) {
  const m = rotationMatrix(quaternion);
  return [
    m[0] * x + m[1] * y + m[2] * z,
    m[3] * x + m[4] * y + m[5] * z,
    m[6] * x + m[7] * y + m[8] * z,
  ];
}

function interpolate(a, b, part) {
  const dot = a.reduce((sum, x, k) => sum + x * b[k], 0);
  const sign = dot < 0 ? -1 : 1;
  return normalized(a.map((x, k) => (1 - part) * x + part * sign * b[k]));
}

// An orthographic camera: `centre` (Å) lies in the middle of the view, which is 2 `zoom` Å high.
class Camera {
  constructor(zoom, rotation) {
    this.centre = [0, 0, 0];
    this.zoom = zoom;
    this.rotation = rotation;
  }

  turn(dx, dy) {
    const step = multiply(rotationAbout([0, 1, 0], dx), rotationAbout([1, 0, 0], dy));
    this.rotation = normalized(multiply(step, this.rotation));
  }

  // Move the scene by a step (Å) in the plane of the view.
  pan(dx, dy) {
    const [x, y, z, w] = this.rotation;
    const step = rotate([-x, -y, -z, w], [dx, dy, 0]);
    this.centre = this.centre.map((value, k) => value - step[k]);
  }

  // The rotation after which a direction of the scene points to the reader.
  facing(direction) {
    const [x, y, z] = normalized(rotate(this.rotation, direction));
    const axis = [y, -x, 0];
    if (Math.hypot(...axis) < 1e-6) return z > 0 ? this.rotation : multiply([1, 0, 0, 0], this.rotation);
    return normalized(multiply(rotationAbout(axis, Math.acos(z)), this.rotation));
  }

  view() {
    return [...this.centre, this.zoom, ...this.rotation];
  }

  // Set a mixture of two views: `part` runs from 0 (first) to 1 (second).
  mix(first, second, part) {
    const linear = (k) => first[k] + part * (second[k] - first[k]);
    this.centre = [0, 1, 2].map(linear);
    this.zoom = Math.exp(Math.log(first[3]) + part * Math.log(second[3] / first[3]));
    this.rotation = interpolate(first.slice(4), second.slice(4), part);
  }
}
