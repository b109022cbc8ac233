// A stand-in for the server, for the tests of the phone: serves web/dist and the part of the API that the phone uses,
// and can be told to lose replies, refuse reports or fall silent. A repeated Idempotency-Key gets the first answer.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'web', 'dist');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json' };
const CSP = "default-src 'self'; img-src 'self' blob: data:; style-src 'self'";
const later = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
const person = (member, name) => ({ member, name, phone: '138****5678' });

/** A task of the member under test. */
export function task(over = {}) {
  return {
    id: 'tsk-1', code: 'B10-008', title: { zh: '徒步拉网巡查', en: 'Sweep patrol' }, text: '临河坡、堤顶、背河坡三线并进。发现险情先报后处。', level: 'red', status: 'delivered',
    role: 'patrol_team', role_name: { zh: '巡堤队', en: 'Patrol team' }, place: { id: 'seg-11', kind: 'segment', name: { zh: '11号责任堤段', en: 'Levee segment 11' }, lon: 113.712, lat: 34.9001, chainage_from_m: 9480, chainage_to_m: 10428 },
    owner: person('mbr-021', '李某某'), deputy: person('mbr-022', '王某某'), holder: 'mbr-021', created_at: later(-2), issued_at: later(-2), due_at: later(26), answer_due_at: later(1), delivered_at: later(-2),
    acknowledged_at: null, arrived_at: null, done_at: null, verified_at: null, declined: null, escalations: 0, life_safety: false, retreat: false, preauthorised: false, authority: 'none', evidence: ['photo', 'gps'],
    basis: '', numbers_basis: 'default', our_default: true, repeat_min: null, round: 1, category: 'patrol', phase: 'respond', band: 'B10', ...over,
  };
}

export class StandIn {
  tasks = [task()];
  reports = [];
  water = [];
  moves = [];
  calls = [];
  drill = false;
  loseReplies = false;
  refusal = null;
  #answers = new Map();
  #clients = new Set();
  #said = [];

  async listen() {
    this.server = createServer((request, response) => void this.#serve(request, response));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.origin = `http://localhost:${this.server.address().port}`;
  }
  async close() {
    for (const client of this.#clients) client.destroy();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** Speaks on the stream. */
  push(event, data) {
    const text = `id: ${this.#said.length + 1}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#said.push(text);
    for (const client of this.#clients) client.write(text);
  }
  hand(over) {
    const given = task(over);
    this.tasks.push(given);
    this.push('task', given);
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.origin);
    if (!url.pathname.startsWith('/api/v1')) return file(response, url.pathname);
    const path = url.pathname.slice('/api/v1'.length);
    if (path === '/stream') return this.#stream(request, response);
    if (request.method === 'GET') return this.#read(response, path);
    const key = request.headers['idempotency-key'];
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    if (!this.#answers.has(key)) this.#answers.set(key, await this.#change(path, request.headers['content-type'], body));
    if (this.loseReplies) return request.socket.destroy();
    say(response, ...this.#answers.get(key));
  }

  #stream(request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': open\n\n');
    for (const text of this.#said.slice(Number(request.headers['last-event-id'] ?? this.#said.length))) response.write(text);
    this.#clients.add(response);
    request.on('close', () => this.#clients.delete(response));
  }

  #read(response, path) {
    if (path === '/session') return say(response, 200, { name: 'li', role: 'member', member_id: 'mbr-021', demo: true, may: ['report'] });
    if (path === '/tasks') return say(response, 200, { items: this.tasks, next: null });
    if (path === '/alarms') return say(response, 200, { items: this.water, next: null });
    if (path === '/situation') return say(response, 200, this.#situation());
    if (path === '/map/hazards') return say(response, 200, { type: 'FeatureCollection', features: [] });
    if (path === '/map/levee' || path === '/map/dams') return say(response, 200, JSON.parse(readFileSync(join(root, 'reaches', 'huayuankou', `${path.slice(5)}.geojson`), 'utf8')));
    if (path.endsWith('/why')) return say(response, 200, { task: 'tsk-1', steps: [{ kind: 'person', at: null, fact: null, text: { zh: '值班表上是你', en: 'you are on duty' } }] });
    return say(response, 404, { title: 'nothing here', status: 404, detail: path });
  }

  #situation() {
    return {
      scope: this.drill ? 'drill' : 'live', demo: true, level: { proposed: 'red', in_force: 'red', since: later(-60), reason: { zh: '', en: '' }, proposed_reason: { zh: '', en: '' }, flapping: false }, band: 'B15', mode: 'emergency',
      clock: { kind: this.drill ? 'drill' : 'demo', now: new Date().toISOString(), speed: 1 }, gauges: [], links: [], answer_rate: { called: 0, answered: 0, rate: null, median_s: null }, tasks: {}, activation: null, event: null,
      breakpoints: [], playbook: { edition: 'test', instructions: 0, note: { zh: '', en: '' } }, drill: null, journal: { last: this.#said.length },
    };
  }

  async #change(path, type, body) {
    const [, room, id, what] = path.split('/');
    if (room === 'tasks') return this.#move(id, what, JSON.parse(body));
    if (room === 'sos') {
      this.calls.push(JSON.parse(body));
      return [201, { id: `rpt-9${this.calls.length}`, kind: 'sos', state: 'open', seen_by: null }];
    }
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    if (what === 'photos') {
      const report = this.reports.find((known) => known.id === id);
      report?.photos.push({ size: form.get('photo').size, name: form.get('photo').name });
      return report ? [201, report] : [404, { title: 'no such report', status: 404, detail: id }];
    }
    if (this.refusal) return [422, this.refusal];
    const report = { id: `rpt-${this.reports.length + 1}`, ...JSON.parse(await form.get('report').text()), photos: [], state: 'open', seen_by: null };
    this.reports.push(report);
    return [201, report];
  }

  #move(id, move, body) {
    const moved = this.tasks.find((known) => known.id === id);
    if (!moved) return [404, { title: 'no such task', status: 404, detail: id }];
    const at = new Date().toISOString();
    Object.assign(moved, { acknowledge: { status: 'acknowledged', acknowledged_at: at }, arrive: { status: 'on-site', arrived_at: at }, done: { status: 'done', done_at: at }, decline: { status: 'declined', declined: { ...body, by: 'li', at } } }[move]);
    this.moves.push([id, move, body]);
    this.push('task', moved);
    return [200, moved];
  }
}

function say(response, status, body) {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
}

function file(response, path) {
  const found = join(dist, path);
  const real = path !== '/' && existsSync(found) && statSync(found).isFile() ? found : join(dist, 'index.html');
  response.writeHead(200, { 'content-type': TYPES[extname(real)] ?? 'application/octet-stream', 'cache-control': 'no-cache', 'content-security-policy': CSP });
  response.end(readFileSync(real));
}
