/**
 * Random messages for the contract: calls that are nearly right (made from the schemas, then often spoiled) and things
 * that are no calls at all. Says what the host did that it must not: end, stay silent, answer in another form, or let
 * through to a handler what its schema refuses.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type MethodName, methods } from '../contract/methods.ts';
import { replyEnvelope } from '../contract/wire.ts';
import { type HostConnection, serveContract } from '../contractServer.ts';
import type { Handlers } from '../handlers.ts';
import type { Host } from '../host.ts';

export interface FuzzOutcome {
  messages: number;
  /** Calls that reached a handler, and of those the ones that succeeded. */
  accepted: number;
  succeeded: number;
  refused: number;
  problems: string[];
}

interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
}

const names = Object.keys(methods) as MethodName[];
const schemas = Object.fromEntries(names.map((name) => [name, z.toJSONSchema(methods[name].params, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema]));
/** These go out to the network or start processes; what is asked for here is whether they are reached with valid parameters. */
const onlyRecorded = /^(?:worker\.restart|downloads\.|hub\.|models\.search|api\.)/;
const oddities: unknown[] = [null, '', 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, true, [], {}, '\0', '../../etc/passwd', 'é'.repeat(300), '__proto__', { __proto__: { a: 1 } }, [[[[]]]], JSON.parse('{"__proto__":{"x":1}}'), '𝒳', '"; DROP TABLE messages; --'];

class Generator {
  #state: number;
  /** Ids that the host has answered with: without them every call would ask for what is not there. */
  readonly ids: string[] = ['gone'];

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T;
  }

  message(): unknown {
    const dice = this.next();
    if (dice < 0.1) return this.pick(oddities);
    const method = this.pick(names);
    let params = this.value(schemas[method] ?? {});
    if (this.next() < 0.5) params = this.spoil(params);
    const call: Record<string, unknown> = { kind: 'call', id: Math.floor(this.next() * 1e6), method, params };
    if (dice < 0.15) call[this.pick(['kind', 'id', 'method', 'more'])] = this.pick(oddities);
    return call;
  }

  value(schema: Schema): unknown {
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return this.pick(schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return this.value(this.pick(choices));
    switch (schema.type) {
      case 'object': {
        const entries = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name) || this.next() < 0.4);
        return Object.fromEntries(entries.map(([name, property]) => [name, this.value(property)]));
      }
      case 'array':
        return Array.from({ length: Math.floor(this.next() * 3) }, () => this.value(schema.items ?? {}));
      case 'string':
        return schema.pattern ? this.pick(this.ids) : this.pick(['word', 'two words', '“quoted”', 'x'.repeat(Math.max(1, schema.minLength ?? 0)), '図書館']);
      case 'integer':
      case 'number': {
        const least = Math.max(schema.minimum ?? 0, 0);
        const most = Math.min(schema.maximum ?? 1000, 1000);
        const number = least + this.next() * (most - least);
        return schema.type === 'integer' ? Math.round(number) : number;
      }
      case 'boolean':
        return this.next() < 0.5;
      case 'null':
        return null;
      default:
        return this.pick(oddities);
    }
  }

  /** One thing in it becomes another. */
  spoil(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.next() < 0.2) return this.pick(oddities);
    const copy: Record<string, unknown> = Array.isArray(value) ? (value.slice() as unknown as Record<string, unknown>) : { ...value };
    const keys = Object.keys(copy);
    const key = keys.length === 0 || this.next() < 0.2 ? this.pick(['extra', 'constructor', 'toString']) : this.pick(keys);
    if (this.next() < 0.2) delete copy[key];
    else copy[key] = this.next() < 0.5 ? this.spoil(copy[key]) : this.pick(oddities);
    return copy;
  }
}

export async function fuzzContract(host: Host, seed: number, messages: number, onAnswered: (count: number) => void = () => undefined): Promise<FuzzOutcome> {
  const generator = new Generator(seed);
  const outcome: FuzzOutcome = { messages, accepted: 0, succeeded: 0, refused: 0, problems: [] };
  const waiting: ((reply: unknown) => void)[] = [];
  let receive: (message: unknown) => void = () => undefined;
  const connection: HostConnection = {
    send: (reply) => {
      // Events are not answers.
      if ((reply as { kind: string }).kind !== 'event') waiting.shift()?.(structuredClone(reply));
    },
    onMessage: (listener) => (receive = listener),
    onClose: () => undefined,
    close: () => outcome.problems.push('the connection was closed'),
    bufferedBytes: () => 0,
  };
  serveContract(connection, recording(host, outcome), host.events);
  for (let count = 0; count < messages && outcome.problems.length < 10; count += 1) {
    const message = generator.message();
    const reply = await new Promise((resolve) => {
      waiting.push(resolve);
      // As it comes over the wire.
      receive(JSON.parse(JSON.stringify(message ?? null)));
    });
    judge(message, reply, outcome, generator);
    onAnswered(count + 1);
  }
  return outcome;
}

/** The host's own handlers, which note what reaches them. */
function recording(host: Host, outcome: FuzzOutcome): Handlers {
  const entries = names.map((name) => {
    const handler = host.handlers[name] as (params: unknown) => unknown;
    return [
      name,
      (params: unknown) => {
        outcome.accepted += 1;
        const again = methods[name].params.safeParse(params);
        if (!again.success || !isDeepStrictEqual(again.data, params)) outcome.problems.push(`${name} was called with ${JSON.stringify(params)?.slice(0, 300)}`);
        if (onlyRecorded.test(name)) throw new Error('only recorded');
        return handler(params);
      },
    ];
  });
  return Object.fromEntries(entries) as Handlers;
}

function judge(message: unknown, reply: unknown, outcome: FuzzOutcome, generator: Generator): void {
  const envelope = replyEnvelope.safeParse(reply);
  if (!envelope.success || envelope.data.kind === 'event') {
    outcome.problems.push(`${JSON.stringify(message)?.slice(0, 300)} was answered with ${JSON.stringify(reply)?.slice(0, 300)}`);
    return;
  }
  if (envelope.data.kind === 'failure') {
    outcome.refused += 1;
    return;
  }
  const { method } = message as { method: MethodName };
  const result = methods[method].result.safeParse(envelope.data.value);
  if (!result.success) outcome.problems.push(`${method} answered in another form: ${result.error.issues[0]?.message} at ${result.error.issues[0]?.path.join('.')}`);
  outcome.succeeded += 1;
  for (const [, id] of JSON.stringify(envelope.data.value)?.matchAll(/"(?:\w*[iI]d)":"([A-Za-z0-9_-]{1,64})"/g) ?? []) if (id && generator.ids.length < 400) generator.ids.push(id);
}
