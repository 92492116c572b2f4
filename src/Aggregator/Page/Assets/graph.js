'use strict';

/** CPU time by call path. Columns as the server sends them: preorder, parents before children, node 0 is the root. */
class CallTree {
  constructor(data) {
    this.frames = data.frames;
    this.parents = data.parents;
    this.frameOf = data.nodeFrames;
    this.self = data.selfNanos;
    this.count = this.parents.length;
    this.total = Float64Array.from(this.self);
    this.end = new Int32Array(this.count);     // one past the last node of the subtree
    this.height = new Int32Array(this.count);  // rows below the node
    this.depth = new Int32Array(this.count);
    this.start = new Float64Array(this.count); // nanoseconds to the left
    this.#measure();
    this.#sumFrames();
  }

  frame(node) { return this.frames[this.frameOf[node]]; }

  /** Nodes from the root to a node. */
  path(node) {
    const path = [];
    for (let at = node; at >= 0; at = this.parents[at]) path.push(at);
    return path.reverse();
  }

  /** The node at the end of a path of another tree, or the last one that this tree also has. */
  find(other, node) {
    let here = 0;
    for (const step of other.path(node).slice(1)) {
      const wanted = other.frame(step);
      const next = this.children(here).find(child => sameFrame(this.frame(child), wanted));
      if (next === undefined) break;
      here = next;
    }
    return here;
  }

  children(node) {
    const children = [];
    for (let child = node + 1; child < this.end[node]; child = this.end[child]) children.push(child);
    return children;
  }

  /** Time of the topmost nodes whose frame is marked: a marked frame under a marked one does not count twice. */
  markedTime(marks) {
    let time = 0;
    for (let node = 0; node < this.count;) {
      if (marks[this.frameOf[node]]) {
        time += this.total[node];
        node = this.end[node];
      } else {
        node++;
      }
    }
    return time;
  }

  #measure() {
    for (let node = this.count - 1; node >= 0; node--) {
      if (this.end[node] === 0) this.end[node] = node + 1;
      const parent = this.parents[node];
      if (parent < 0) continue;
      this.total[parent] += this.total[node];
      this.end[parent] = Math.max(this.end[parent], this.end[node]);
      this.height[parent] = Math.max(this.height[parent], this.height[node] + 1);
    }
    const next = new Float64Array(this.count);
    for (let node = 1; node < this.count; node++) {
      const parent = this.parents[node];
      this.depth[node] = this.depth[parent] + 1;
      this.start[node] = next[node] = next[parent];
      next[parent] += this.total[node];
    }
  }

  /** Self and total time of each frame; recursion counts once. */
  #sumFrames() {
    this.frameSelf = new Float64Array(this.frames.length);
    this.frameTotal = new Float64Array(this.frames.length);
    const open = new Int32Array(this.frames.length);
    const stack = [];
    for (let node = 0; node < this.count; node++) {
      while (stack.length > 0 && this.end[stack[stack.length - 1]] <= node) open[this.frameOf[stack.pop()]]--;
      const frame = this.frameOf[node];
      this.frameSelf[frame] += this.self[node];
      if (open[frame] === 0) this.frameTotal[frame] += this.total[node];
      open[frame]++;
      stack.push(node);
    }
  }
}

function sameFrame(left, right) {
  return left.name === right.name && left.module === right.module && left.file === right.file;
}

/** Draws a call tree as an icicle on a canvas: root on top, width is time. Fires 'hover', 'focus' and 'zoom' with a node. */
class FlameView extends EventTarget {
  static #rowHeight = 21;
  static #heightLimit = 16000; // browsers refuse larger canvases

  #canvas; #scroller; #context;
  #tree = null; #zoom = 0; #focus = 0; #hover = -1; #marks = null;
  #from = 0; #until = 1; // what part of the root's time is across the canvas
  #colours = new Map(); #theme = null; #letter = 7;
  #animation = 0;

  constructor(canvas, scroller) {
    super();
    this.#canvas = canvas;
    this.#scroller = scroller;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.draw()).observe(scroller);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.#theme = null; this.draw(); });
    canvas.addEventListener('mousemove', event => this.#move(event));
    canvas.addEventListener('mouseleave', () => this.#hoverOver(-1, null));
    canvas.addEventListener('click', event => this.#click(event));
    canvas.addEventListener('keydown', event => this.#key(event));
    canvas.addEventListener('focus', () => { this.draw(); this.#fire('focus', this.#focus); });
    canvas.addEventListener('blur', () => this.draw());
  }

  get tree() { return this.#tree; }
  get zoomed() { return this.#zoom; }

  /** Shows a tree. What was zoomed and focused stays so, as far as the new tree has it. */
  show(tree) {
    const before = this.#tree;
    this.#zoom = before ? tree.find(before, this.#zoom) : 0;
    this.#focus = before ? tree.find(before, this.#focus) : 0;
    this.#tree = tree;
    this.#hover = -1;
    this.#marks = null;
    this.#colours.clear();
    cancelAnimationFrame(this.#animation);
    [this.#from, this.#until] = this.#extent(this.#zoom);
    this.draw();
    this.#fire('zoom', this.#zoom);
  }

  /** Marks frames, given as one byte per frame; null marks none. */
  mark(marks) {
    this.#marks = marks;
    this.draw();
  }

  zoom(node) {
    if (!this.#tree) return;
    this.#zoom = this.#focus = node;
    this.#scroller.scrollTop = Math.min(this.#scroller.scrollTop, this.#tree.depth[node] * FlameView.#rowHeight);
    this.#animate(this.#extent(node));
    this.#fire('zoom', node);
  }

  draw() {
    const tree = this.#tree;
    if (!tree) return;
    const width = this.#resize(tree);
    const theme = this.#theme ??= this.#readTheme();
    const context = this.#context;
    const span = this.#until - this.#from;
    const rows = Math.floor(this.#canvas.clientHeight / FlameView.#rowHeight);
    const drawnTo = new Float64Array(rows).fill(-1);
    for (let node = 0; node < tree.count;) {
      const left = (tree.start[node] - this.#from) / span * width;
      const right = (tree.start[node] + tree.total[node] - this.#from) / span * width;
      const depth = tree.depth[node];
      const tooSmall = right - left < 0.5 && Math.floor(left) < drawnTo[depth];
      if (right <= 0 || left >= width || depth >= rows || tooSmall || tree.total[node] <= 0) {
        node = tree.end[node]; // nothing of the subtree can be seen
        continue;
      }
      this.#box(node, Math.max(0, left), Math.min(width, right), depth, theme);
      drawnTo[depth] = Math.ceil(Math.min(width, right));
      node++;
    }
    if (document.activeElement === this.#canvas) this.#ring(this.#focus, width, theme.text, context);
    if (this.#hover >= 0) this.#ring(this.#hover, width, theme.text, context);
  }

  #box(node, left, right, depth, theme) {
    const context = this.#context;
    const frame = this.#tree.frameOf[node];
    const marked = this.#marks === null || this.#marks[frame] === 1;
    const width = Math.max(0.75, right - left - (right - left > 3 ? 1 : 0));
    const top = depth * FlameView.#rowHeight;
    context.globalAlpha = depth < this.#tree.depth[this.#zoom] ? 0.6 : 1;
    context.fillStyle = marked ? this.#colour(frame, theme) : theme.faded;
    context.fillRect(left, top, width, FlameView.#rowHeight - 1);
    const letters = Math.floor((width - 8) / this.#letter);
    if (letters >= 3) {
      const name = this.#tree.frames[frame].name;
      context.fillStyle = marked ? theme.boxText : theme.fadedText;
      context.fillText(name.length <= letters ? name : name.slice(0, letters - 1) + '…', left + 4, top + FlameView.#rowHeight / 2);
    }
    context.globalAlpha = 1;
  }

  #ring(node, width, colour, context) {
    const [left, right] = this.#across(node, width);
    if (right < 0 || left > width) return;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.strokeRect(Math.max(1, left + 1), this.#tree.depth[node] * FlameView.#rowHeight + 1,
      Math.max(1, Math.min(width - 1, right - 1) - Math.max(1, left + 1)), FlameView.#rowHeight - 3);
  }

  #across(node, width) {
    const span = this.#until - this.#from;
    return [(this.#tree.start[node] - this.#from) / span * width, (this.#tree.start[node] + this.#tree.total[node] - this.#from) / span * width];
  }

  #resize(tree) {
    const rows = tree.depth[this.#zoom] + tree.height[this.#zoom] + 1;
    const height = Math.min(FlameView.#heightLimit, rows * FlameView.#rowHeight);
    this.#canvas.style.height = `${height}px`;
    const width = this.#canvas.clientWidth;
    const ratio = Math.min(devicePixelRatio || 1, FlameView.#heightLimit / height);
    const [pixelWidth, pixelHeight] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.#canvas.width !== pixelWidth || this.#canvas.height !== pixelHeight) {
      this.#canvas.width = pixelWidth;
      this.#canvas.height = pixelHeight;
    }
    const style = getComputedStyle(document.documentElement).getPropertyValue('--mono');
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    this.#context.font = `12px ${style}`;
    this.#context.textBaseline = 'middle';
    this.#letter = this.#context.measureText('mmmmmmmmmm').width / 10;
    return width;
  }

  #readTheme() {
    const style = getComputedStyle(document.documentElement);
    const read = name => style.getPropertyValue(name).trim();
    this.#colours.clear();
    return { faded: read('--faded'), fadedText: read('--faded-text'), boxText: read('--box-text'), text: read('--text'), kind: kind => read(`--${kind}`) };
  }

  /** The colour of the frame's kind, a little lighter or darker by its name so that neighbours can be told apart. */
  #colour(frame, theme) {
    let colour = this.#colours.get(frame);
    if (colour === undefined) {
      const { name, kind } = this.#tree.frames[frame];
      let hash = 0;
      for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0;
      const [hue, saturation, lightness] = theme.kind(kind).split(' ');
      colour = `hsl(${hue} ${saturation} ${parseFloat(lightness) + (kind === 'sum' ? 0 : Math.abs(hash) % 9 - 4)}%)`;
      this.#colours.set(frame, colour);
    }
    return colour;
  }

  #extent(node) {
    const length = this.#tree.total[node];
    return [this.#tree.start[node], this.#tree.start[node] + (length > 0 ? length : 1)];
  }

  #animate([from, until]) {
    cancelAnimationFrame(this.#animation);
    const [startFrom, startUntil, began] = [this.#from, this.#until, performance.now()];
    const length = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 180;
    const step = now => {
      const part = length === 0 ? 1 : Math.min(1, Math.max(0, (now - began) / length));
      const eased = 1 - (1 - part) ** 3;
      this.#from = startFrom + (from - startFrom) * eased;
      this.#until = startUntil + (until - startUntil) * eased;
      this.draw();
      if (part < 1) this.#animation = requestAnimationFrame(step);
    };
    step(began);
  }

  #nodeAt(event) {
    const tree = this.#tree;
    if (!tree) return -1;
    const box = this.#canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / FlameView.#rowHeight);
    const at = this.#from + (event.clientX - box.left) / box.width * (this.#until - this.#from);
    let node = 0;
    while (tree.depth[node] < row) {
      const next = tree.children(node).find(child => at >= tree.start[child] && at < tree.start[child] + tree.total[child]);
      if (next === undefined) return -1;
      node = next;
    }
    return node;
  }

  #move(event) { this.#hoverOver(this.#nodeAt(event), event); }

  #hoverOver(node, event) {
    if (node !== this.#hover) {
      this.#hover = node;
      this.draw();
    }
    this.dispatchEvent(new CustomEvent('hover', { detail: { node, x: event?.clientX, y: event?.clientY } }));
  }

  #click(event) {
    const node = this.#nodeAt(event);
    if (node >= 0) this.zoom(node);
  }

  #key(event) {
    const tree = this.#tree;
    if (!tree || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.zoom(this.#focus);
      return;
    }
    const to = this.#neighbour(event.key);
    if (to === undefined) return;
    event.preventDefault();
    this.#focus = to;
    const top = tree.depth[to] * FlameView.#rowHeight;
    const view = this.#scroller;
    if (top < view.scrollTop || top + 2 * FlameView.#rowHeight > view.scrollTop + view.clientHeight) view.scrollTop = top - view.clientHeight / 2;
    this.draw();
    this.#fire('focus', to);
  }

  /** Where an arrow key leads: down to the widest child, up to the parent, sideways to siblings. */
  #neighbour(key) {
    const tree = this.#tree;
    const parent = tree.parents[this.#focus];
    if (key === 'ArrowUp') return parent >= 0 ? parent : this.#focus;
    if (key === 'ArrowDown') {
      return tree.children(this.#focus).reduce((best, child) => best === this.#focus || tree.total[child] > tree.total[best] ? child : best, this.#focus);
    }
    if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined;
    if (parent < 0) return this.#focus;
    const siblings = tree.children(parent);
    const next = siblings.indexOf(this.#focus) + (key === 'ArrowRight' ? 1 : -1);
    return siblings[Math.max(0, Math.min(siblings.length - 1, next))];
  }

  #fire(type, node) { this.dispatchEvent(new CustomEvent(type, { detail: { node } })); }
}
