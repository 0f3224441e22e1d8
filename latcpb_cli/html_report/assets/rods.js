// Drawing of rods (sticks with round ends; a ball is a rod without length) with WebGL 2.

const ROD_VERTEX = `#version 300 es
in vec2 corner;
in vec4 end1;
in vec4 end2;
in vec4 color1;
in vec4 color2;
uniform mat3 rotation;
uniform vec3 centre;
uniform vec2 scale;
uniform float front;
out vec2 place;
flat out vec3 a;
flat out vec3 b;
flat out float radius;
flat out vec4 colorA;
flat out vec4 colorB;
void main() {
  a = (end1.xyz - centre) * rotation;
  b = (end2.xyz - centre) * rotation;
  radius = end1.w;
  colorA = color1;
  colorB = color2;
  vec2 step = b.xy - a.xy;
  float size = length(step);
  vec2 along = size > 1e-5 ? step / size : vec2(1.0, 0.0);
  vec2 across = vec2(-along.y, along.x);
  place = (corner.x < 0.0 ? a.xy - along * radius : b.xy + along * radius) + across * corner.y * radius;
  gl_Position = max(a.z, b.z) > front ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(place * scale, 0.0, 1.0);
}`;

// The meeting point of a ray along -z with a rod, after Inigo Quilez, https://iquilezles.org/articles/intersectors.
const ROD_FRAGMENT = `#version 300 es
precision highp float;
in vec2 place;
flat in vec3 a;
flat in vec3 b;
flat in float radius;
flat in vec4 colorA;
flat in vec4 colorB;
uniform float depth;
out vec4 color;
float ball(vec3 origin, vec3 middle) {
  vec3 o = origin - middle;
  float h = radius * radius - dot(o.xy, o.xy);
  return h < 0.0 ? -1.0 : o.z - sqrt(h);
}
float meet(vec3 origin) {
  vec3 ba = b - a, oa = origin - a;
  float baba = dot(ba, ba), bard = -ba.z, baoa = dot(ba, oa);
  float qa = baba - bard * bard;
  if (qa < 1e-4 * baba + 1e-9) return ball(origin, a.z > b.z ? a : b);
  float qb = -baba * oa.z - baoa * bard;
  float qc = baba * dot(oa, oa) - baoa * baoa - radius * radius * baba;
  float h = qb * qb - qa * qc;
  if (h < 0.0) return -1.0;
  float t = (-qb - sqrt(h)) / qa;
  float y = baoa + t * bard;
  if (y > 0.0 && y < baba) return t;
  return ball(origin, y <= 0.0 ? a : b);
}
void main() {
  vec3 origin = vec3(place, max(a.z, b.z) + radius + 1.0);
  float t = meet(origin);
  if (t < 0.0) discard;
  vec3 point = origin - vec3(0.0, 0.0, t);
  vec3 ba = b - a;
  float part = clamp(dot(point - a, ba) / max(dot(ba, ba), 1e-9), 0.0, 1.0);
  vec3 normal = (point - a - part * ba) / radius;
  bool plain = colorA.a < 0.5;
  vec3 base = part < 0.5 ? colorA.rgb : colorB.rgb;
  float light = 0.5 + 0.5 * dot(normal, normalize(vec3(-0.35, 0.55, 0.76)));
  float shine = pow(max(dot(normal, normalize(vec3(-0.19, 0.29, 0.94))), 0.0), 40.0);
  vec3 shaded = base * (0.42 + 0.62 * light * light) + 0.10 * shine;
  color = vec4(plain ? base : shaded, 1.0);
  gl_FragDepth = clamp(0.5 - 0.5 * point.z / depth, 0.0, 0.9999);
}`;

const SCREEN_VERTEX = `#version 300 es
out vec2 uv;
void main() {
  uv = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
  gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}`;

// Outlines, shade in narrow places, and haze with distance.
const SCREEN_FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
uniform sampler2D colors;
uniform sampler2D depths;
uniform vec2 pixel;
uniform float depth;
uniform float perAngstrom;
uniform float thick;
uniform vec3 background;
uniform vec3 outline;
uniform vec2 haze;
out vec4 color;
float height(vec2 at) { return (1.0 - 2.0 * texture(depths, at).r) * depth; }
void main() {
  float d = texture(depths, uv).r;
  float z = (1.0 - 2.0 * d) * depth;
  vec3 base = d >= 1.0 ? background : texture(colors, uv).rgb;
  float line = 0.0, shade = 0.0;
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) * 6.2832;
  for (int k = 0; k < 4; k++) {
    float angle = 0.7854 + 1.5708 * float(k);
    line = max(line, smoothstep(0.6, 1.4, height(uv + pixel * thick * vec2(cos(angle), sin(angle))) - z));
  }
  for (int k = 0; k < 10 && d < 1.0; k++) {
    float angle = noise + 2.39996 * float(k), reach = perAngstrom * 0.28 * float(k + 1);
    float step = height(uv + pixel * reach * vec2(cos(angle), sin(angle))) - z;
    shade += smoothstep(0.15, 1.5, step) * (1.0 - smoothstep(4.0, 9.0, step));
  }
  if (d < 1.0) {
    base *= 1.0 - 0.062 * shade;
    base = mix(base, background, 0.55 * clamp((haze.x - z) / haze.y, 0.0, 1.0));
  }
  float strength = 0.75 * line * (d < 1.0 ? 1.0 : 0.8);
  color = vec4(mix(base, outline, strength), 1.0);
}`;

function buildProgram(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return { program, at: (name) => gl.getUniformLocation(program, name) };
}

const ROD_BYTES = 40;

// A list of rods in the layout of the vertex buffer.
class RodList {
  constructor(room) {
    this.count = 0;
    this.grow(room);
  }

  grow(room) {
    const bytes = new Uint8Array(room * ROD_BYTES);
    if (this.bytes) bytes.set(this.bytes);
    this.bytes = bytes;
    this.floats = new Float32Array(bytes.buffer);
  }

  // Colours are [r, g, b] from 0 to 255; plain rods have no shading.
  add(a, b, radius, color1, color2 = color1, plain = false) {
    if ((this.count + 1) * ROD_BYTES > this.bytes.length) this.grow(2 * this.count + 64);
    const start = this.count * ROD_BYTES;
    this.floats.set([a[0], a[1], a[2], radius, b[0], b[1], b[2], 0], start / 4);
    this.bytes.set([...color1, plain ? 0 : 255, ...color2, 255], start + 32);
    this.count += 1;
  }
}

class RodRenderer {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.gl = gl;
    this.rods = buildProgram(gl, ROD_VERTEX, ROD_FRAGMENT);
    this.screen = buildProgram(gl, SCREEN_VERTEX, SCREEN_FRAGMENT);
    this.count = 0;
    this.size = [0, 0];
    this.target = gl.createFramebuffer();
    this.textures = [gl.createTexture(), gl.createTexture()];
    this.empty = gl.createVertexArray();
    this.layout();
  }

  layout() {
    const gl = this.gl, program = this.rods.program;
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    this.buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    const columns = [["end1", gl.FLOAT, 0], ["end2", gl.FLOAT, 16],
      ["color1", gl.UNSIGNED_BYTE, 32], ["color2", gl.UNSIGNED_BYTE, 36]];
    for (const [name, type, offset] of columns) {
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 4, type, type !== gl.FLOAT, ROD_BYTES, offset);
      gl.vertexAttribDivisor(place, 1);
    }
  }

  load(list) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, list.bytes.subarray(0, list.count * ROD_BYTES), this.gl.DYNAMIC_DRAW);
    this.count = list.count;
  }

  resize(width, height) {
    if (this.size[0] === width && this.size[1] === height) return;
    const gl = this.gl, [colors, depths] = this.textures;
    [this.canvas.width, this.canvas.height] = this.size = [width, height];
    const formats = [[colors, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, gl.COLOR_ATTACHMENT0],
      [depths, gl.DEPTH_COMPONENT24, gl.DEPTH_COMPONENT, gl.UNSIGNED_INT, gl.DEPTH_ATTACHMENT]];
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    for (const [texture, internal, format, type, attachment] of formats) {
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, type, null);
      for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
      for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, attachment, gl.TEXTURE_2D, texture, 0);
    }
  }

  // `look` holds the colours of background and outline ([r, g, b], 0 to 1) and the radius of the scene in Å.
  draw(camera, look) {
    const gl = this.gl, [width, height] = this.size;
    const depth = 2.2 * look.radius + 20;
    const { program, at } = this.rods;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    gl.viewport(0, 0, width, height);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(program);
    gl.bindVertexArray(this.array);
    gl.uniformMatrix3fv(at("rotation"), false, rotationMatrix(camera.rotation));
    gl.uniform3fv(at("centre"), camera.centre);
    gl.uniform2f(at("scale"), height / width / camera.zoom, 1 / camera.zoom);
    gl.uniform1f(at("depth"), depth);
    gl.uniform1f(at("front"), look.front);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
    this.finish(camera, look, depth);
  }

  finish(camera, look, depth) {
    const gl = this.gl, [width, height] = this.size, { program, at } = this.screen;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disable(gl.DEPTH_TEST);
    gl.useProgram(program);
    gl.bindVertexArray(this.empty);
    this.textures.forEach((texture, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
    });
    gl.uniform1i(at("colors"), 0);
    gl.uniform1i(at("depths"), 1);
    gl.uniform2f(at("pixel"), 1 / width, 1 / height);
    gl.uniform1f(at("depth"), depth);
    gl.uniform1f(at("perAngstrom"), height / 2 / camera.zoom);
    gl.uniform1f(at("thick"), look.thick);
    gl.uniform3fv(at("background"), look.background);
    gl.uniform3fv(at("outline"), look.outline);
    gl.uniform2f(at("haze"), look.haze, 2 * look.haze);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  // Wait until everything is drawn.
  settle() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
}
