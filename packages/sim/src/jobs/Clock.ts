/**
 * What goes by the clock to simulate: windows and timers. Their results differ from run to run, so they are not compared with
 * an undisturbed one; that every record is counted once, and every timer fires once, must hold all the same.
 */
import { Field, Topic } from "@frazil/core"
import { count, Flow, Job, State, Window } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import { compare } from "../oracle/Compare.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

const Ping = Schema.Struct({ host: Field.text(), n: Field.int(), at: Field.timestamp })
class Heard extends Schema.Opaque<Heard>()(
  Schema.Struct({ host: Field.text(), from: Field.timestamp, pings: Field.int(), revision: Field.int() })
) {}
class Flushed extends Schema.Opaque<Flushed>()(
  Schema.Struct({ host: Field.text(), due: Field.int(), ns: Field.json(Schema.Array(Schema.Finite)) })
) {}

const Pings = Topic.make("pings", { schema: Ping, key: "host", eventTime: "at", partitions: 3 })
const HeardTopic = Topic.make("heard", { schema: Heard, key: "host", partitions: 2 })
const FlushedTopic = Topic.make("flushed", { schema: Flushed, key: "host", partitions: 2 })

const because = "a display"
const pings = Flow.from(Pings).pipe(Flow.keyBy("host"))

/** Gathers the pings of a host until 300 ms after the first of them. */
const flushed = pings.pipe(
  Flow.process(
    {
      name: "flush",
      operational: { because },
      states: { ns: State.list({ schema: Schema.Finite, ttl: "1 day", entriesMax: 1000 }) }
    },
    {
      onRecord: ({ n }, { states: { ns }, timers }) => {
        if (ns.get().length === 0) timers.processing.set(timers.processing.now() + 300)
        ns.add(n)
        return []
      },
      onTimer: ({ time }, { key, states: { ns } }) => {
        const of = ns.get()
        ns.clear()
        return [{ host: key.host, due: time, ns: of }]
      }
    }
  )
)

const job = Job.make("by-the-clock", [
  pings.pipe(
    Flow.window(
      Window.operational(Window.processing.tumbling("200ms"), { because }),
      { pings: count() },
      { name: "heard" }
    ),
    Flow.map(({ host, pings, revision, window_start }) => ({ host, from: window_start, pings, revision })),
    Flow.to(HeardTopic)
  ),
  flushed.pipe(Flow.to(FlushedTopic))
])

const startMs = Date.UTC(2026, 0, 14, 23, 50)
const recordsMin = 40
const recordsSpread = 100

const lines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, (_, n) => {
    const at = new Date(startMs + n * 100).toISOString()
    const text = JSON.stringify({ host: `H${random.below(5)}`, n, at })
    return random.below(20) === 0 ? text.slice(0, -5) : text
  })

const decoder = new TextDecoder()

/** Records that were checked when they were written; broken lines are none. */
const recordsOf = <A>(topics: KeptTopics, name: string): ReadonlyArray<A> =>
  topics(name).flatMap((records) =>
    records.flatMap(({ value }) => {
      try {
        return [JSON.parse(decoder.decode(value)) as A] // checked when it was written
      } catch {
        return []
      }
    })
  )

const repeated = (what: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, at) => names.indexOf(name) < at).map((name) => `${what} ${name} is there twice`)

const check = (topics: KeptTopics): ReadonlyArray<string> => {
  const sent = recordsOf<{ readonly host: string; readonly n: number }>(topics, Pings.name)
  const heard = recordsOf<typeof Heard.Type>(topics, HeardTopic.name)
  const flushes = recordsOf<typeof Flushed.Type>(topics, FlushedTopic.name)
  const counts = new Map<string, number>()
  for (const { host, pings } of heard) counts.set(host, (counts.get(host) ?? 0) + pings)
  const wanted = new Map<string, number>()
  for (const { host } of sent) wanted.set(host, (wanted.get(host) ?? 0) + 1)
  const counted = (of: ReadonlyMap<string, number>) => Array.from(of, ([host, pings]) => `${host} ${pings}`)
  const known = new Set(sent.map(({ host, n }) => `${host} ${n}`))
  const given = flushes.flatMap(({ host, ns }) => ns.map((n) => `${host} ${n}`))
  const sentTwice = sent.length - known.size
  return [
    ...compare("pings in windows", counted(counts), counted(wanted)),
    ...repeated(
      "the window",
      heard.map(({ from, host }) => `${host} ${String(from)}`)
    ),
    ...repeated(
      "the timer",
      flushes.map(({ due, host }) => `${host} ${due}`)
    ),
    ...heard.filter(({ revision }) => revision !== 0).map(({ host }) => `a window of ${host} was revised`),
    ...given.filter((name) => !known.has(name)).map((name) => `flushed ${name} was never sent`),
    // what the last timers of a bounded run would have flushed stays
    ...(given.length - new Set(given).size > sentTwice ? ["pings were flushed twice"] : [])
  ]
}

export const byTheClock = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  run(job, {
    ...options,
    input: [input(Pings, lines)],
    volatileTopics: [HeardTopic.name, FlushedTopic.name],
    check
  })
