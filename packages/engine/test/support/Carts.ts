// The process function of the tests: carts that are filled, emptied and paid for, told when nobody touched them for a while;
// and the same answers recomputed slowly from all that was ever written, by loops that share no code with the engine.
import { Field, Topic } from "@frazil/core"
import { Effect, Schema } from "effect"
import { Flow, Job, State } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { type Line, readAll } from "./Harness.ts"

class Touch extends Schema.Opaque<Touch>()(
  Schema.Struct({
    id: Field.int(),
    user: Field.text(),
    item: Field.text(),
    kind: Field.oneOf(["add", "remove", "pay"]),
    at: Field.timestamp
  })
) {}
class CartTold extends Schema.Opaque<CartTold>()(Schema.Struct({ user: Field.text(), told: Field.text() })) {}

export const Touches = Topic.make("touches", { schema: Touch, key: "user", eventTime: "at", partitions: 3 })
export const Carts = Topic.make("carts", { schema: CartTold, key: "user", partitions: 2 })

export interface CartsCase {
  readonly ttlMs: number
  readonly entriesMax: number
  readonly timersPerKeyMax: number
  /** A cart is idle so long after something was added; less than nothing: at once. */
  readonly idleMs: number
  readonly outOfOrdernessMs: number
  /** States are on disk, with so much of them in memory. */
  readonly cacheBytesMax?: number
}

export const randomCarts = (chance: Chance, outOfOrdernessMs: number): CartsCase => ({
  ttlMs: chance.pick([2000, 6000, 60_000]),
  entriesMax: chance.pick([2, 100]),
  timersPerKeyMax: chance.pick([2, 100]),
  idleMs: chance.pick([-1000, 1500, 5000, 20_000]),
  outOfOrdernessMs
})

const throwsAt = (id: number) => id % 13 === 5
const timerThrowsAt = (time: number) => time % 5000 === 1500

/** Where a job of the tests keeps its state. */
export const storeOf = ({ cacheBytesMax }: { readonly cacheBytesMax?: number }) =>
  cacheBytesMax === undefined ? {} : ({ store: { disk: { cacheBytesMax } } } as const)

export const cartsJob = (of: CartsCase, topic = Touches, idleAfterMs = 60_000) => {
  const { entriesMax, idleMs, outOfOrdernessMs, timersPerKeyMax } = of
  const ttl = `${of.ttlMs}ms` as const
  return Job.make("carts", [
    Flow.from(topic).pipe(
      Flow.eventTime("at", { outOfOrderness: `${outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` }),
      Flow.keyBy("user"),
      Flow.process(
        {
          name: "carts",
          timersPerKeyMax,
          ...storeOf(of),
          states: {
            touched: State.value({ schema: Schema.Finite, initial: () => 0, ttl }),
            items: State.map({ schema: Schema.Finite, ttl, entriesMax }),
            added: State.list({ schema: Schema.Finite, ttl, entriesMax }),
            // a bigint, which JSON does not have
            ids: State.aggregate({
              schema: Schema.BigInt,
              initial: () => 0n,
              add: (sum, { id }: { readonly id: number }) => sum + BigInt(id),
              result: (sum) => `${sum}`,
              ttl
            })
          }
        },
        {
          onRecord: ({ id, item, kind }, { eventTime, key, states: { added, ids, items, touched }, timers }) => {
            touched.set(touched.get() + 1)
            if (kind === "remove") items.delete(item)
            if (kind === "add") {
              items.set(item, (items.get(item) ?? 0) + 1)
              timers.event.set(eventTime + idleMs)
              added.add(id)
            }
            ids.add({ id })
            if (throwsAt(id)) throw new RangeError("no")
            if (kind !== "pay") return []
            const told = `paid ${id} ${JSON.stringify([touched.get(), items.entries(), added.get(), ids.get()])}`
            items.clear()
            added.clear()
            ids.clear()
            timers.event.delete(eventTime + idleMs)
            return [{ user: key.user, told }]
          },
          onTimer: ({ domain, time }, { key, states: { added, ids, items, touched }, timers }) => {
            touched.set(touched.get() + 100)
            if (timerThrowsAt(time)) throw new RangeError("no")
            if (touched.get() < 250) timers.event.set(time + 700)
            const state = JSON.stringify([touched.get(), items.entries(), added.get(), ids.get()])
            return [{ user: key.user, told: `${domain} ${time} ${state}` }]
          }
        }
      ),
      Flow.to(Carts)
    )
  ])
}

export interface TouchLine extends Line {
  readonly id: number
  readonly user: string
  readonly item: string
  readonly kind: "add" | "remove" | "pay"
  readonly at: number
}

export const touch = (id: number, user: string, item: string, kind: TouchLine["kind"], at: number): TouchLine => {
  const value = `{"id":${id},"user":"${user}","item":"${item}","kind":"${kind}","at":"${new Date(at).toISOString()}"}`
  return { key: user, value, id, user, item, kind, at }
}

const startMs = Date.UTC(2026, 0, 14)

/** Touches half a second apart, each up to `disorderMs` early, several of one time among them. */
export const randomTouches = (chance: Chance, length: number, disorderMs: number): ReadonlyArray<TouchLine> =>
  Array.from({ length }, (_, index) => {
    const at = startMs + Math.floor((index * 500 - chance.below(disorderMs + 1)) / 250) * 250
    const kind = chance.pick(["add", "add", "add", "remove", "pay"] as const)
    return touch(index, `U${chance.below(4)}`, `i${chance.below(4)}`, kind, at)
  })

/** A write of one key: `name` of a map; undefined: cleared, or deleted. */
interface Write {
  readonly state: "touched" | "items" | "added" | "ids"
  readonly name?: string
  readonly value: number | bigint | undefined
  readonly at: number
}

/** All that was ever written of a key, and what of it is still there when somebody looks. */
class History {
  writes: ReadonlyArray<Write> = []
  private readonly ttlMs: number
  constructor(ttlMs: number) {
    this.ttlMs = ttlMs
  }

  add(write: Write) {
    this.writes = [...this.writes, write]
  }

  /** The last value, unless its highest time is over. */
  last(state: Write["state"], now: number, name?: string) {
    let found: { readonly value: number | bigint; readonly at: number } | undefined
    for (const write of this.writes) {
      if (write.state !== state || (write.name !== name && write.value !== undefined)) continue
      if (write.value === undefined) {
        if (write.name === undefined || write.name === name) found = undefined
      } else found = { value: write.value, at: Math.max(found?.at ?? Number.NEGATIVE_INFINITY, write.at) }
    }
    return found !== undefined && now - found.at < this.ttlMs ? found.value : undefined
  }

  names(now: number) {
    const names = new Set(
      this.writes.flatMap(({ name, state }) => (state === "items" && name !== undefined ? [name] : []))
    )
    return [...names].sort().flatMap((name) => {
      const value = this.last("items", now, name)
      return value === undefined ? [] : [[name, value] as const]
    })
  }

  list(now: number) {
    const cleared = this.writes.findLastIndex(({ state, value }) => state === "added" && value === undefined)
    return this.writes
      .slice(cleared + 1)
      .filter(({ at, state }) => state === "added" && now - at < this.ttlMs)
      .map(({ value }) => value)
  }

  text(now: number) {
    return JSON.stringify([
      this.last("touched", now) ?? 0,
      this.names(now),
      this.list(now),
      `${this.last("ids", now) ?? 0n}`
    ])
  }
}

export interface ExpectedCarts {
  /** By user, in order. */
  readonly told: Readonly<Record<string, ReadonlyArray<string>>>
  /** Letters of records, by their offsets, and how many of timers. */
  readonly letters: number
}

/** One partition's world: the histories of its users, and the timers that are set, looked through each time. */
class Partition {
  readonly histories = new Map<string, History>()
  timers: ReadonlyArray<{ readonly user: string; readonly time: number }> = []
  highest = Number.NEGATIVE_INFINITY
  letters = 0
  private readonly of: CartsCase
  private readonly tell: (user: string, text: string) => void

  constructor(of: CartsCase, tell: (user: string, text: string) => void) {
    this.of = of
    this.tell = tell
  }

  private history(user: string) {
    const known = this.histories.get(user) ?? new History(this.of.ttlMs)
    this.histories.set(user, known)
    return known
  }

  /** False: there are too many. */
  private set(user: string, time: number): boolean {
    if (this.timers.some((timer) => timer.user === user && timer.time === time)) return true
    if (this.timers.filter((timer) => timer.user === user).length >= this.of.timersPerKeyMax) return false
    this.timers = [...this.timers, { user, time }]
    return true
  }

  private unset(user: string, time: number) {
    this.timers = this.timers.filter((timer) => timer.user !== user || timer.time !== time)
  }

  /** Runs `code`; when it says no, nothing of it has happened. */
  private guarded(user: string, code: (history: History) => boolean) {
    const history = this.history(user)
    const { timers } = this
    const { writes } = history
    if (code(history)) return
    history.writes = writes
    this.timers = timers
    this.letters++
  }

  take(line: TouchLine) {
    const watermark = this.highest - this.of.outOfOrdernessMs
    const { at, id, item, kind, user } = line
    const now = Math.max(at, watermark)
    this.guarded(user, (history) => {
      history.add({ state: "touched", value: Number(history.last("touched", now) ?? 0) + 1, at })
      if (kind === "remove") history.add({ state: "items", name: item, value: undefined, at })
      if (kind === "add") {
        // what is there by the watermark counts, seen or not
        const names = history.names(watermark).map(([name]) => name)
        if (!names.includes(item) && names.length >= this.of.entriesMax) return false
        history.add({ state: "items", name: item, value: Number(history.last("items", now, item) ?? 0) + 1, at })
        if (!this.set(user, at + this.of.idleMs)) return false
        if (history.list(watermark).length >= this.of.entriesMax) return false
        history.add({ state: "added", value: id, at })
      }
      history.add({ state: "ids", value: BigInt(history.last("ids", now) ?? 0n) + BigInt(id), at })
      if (throwsAt(id)) return false
      if (kind !== "pay") return true
      this.tell(user, `paid ${id} ${history.text(now)}`)
      for (const state of ["items", "added", "ids"] as const) history.add({ state, value: undefined, at })
      this.unset(user, at + this.of.idleMs)
      return true
    })
    this.highest = Math.max(this.highest, at)
    this.fire(this.highest - this.of.outOfOrdernessMs, watermark, false)
  }

  fire(watermark: number, before: number, ended: boolean) {
    for (;;) {
      const due = this.timers.filter(({ time }) => time <= watermark)
      const [next] = due.sort((a, b) => a.time - b.time || (a.user < b.user ? -1 : 1))
      if (next === undefined) return
      const { time, user } = next
      const now = Math.max(time, before)
      this.unset(user, time)
      this.guarded(user, (history) => {
        history.add({ state: "touched", value: Number(history.last("touched", now) ?? 0) + 100, at: time })
        if (timerThrowsAt(time)) return false
        if (Number(history.last("touched", now) ?? 0) < 250 && !ended && !this.set(user, time + 700)) return false
        this.tell(user, `event ${time} ${history.text(now)}`)
        return true
      })
    }
  }
}

/** What a run over these touches must come to, by the partition that `partitionOf` says. */
export const expectedCarts = (
  lines: ReadonlyArray<TouchLine>,
  of: CartsCase,
  partitionOf: (line: TouchLine) => number
): ExpectedCarts => {
  const told: Record<string, Array<string>> = {}
  const partitions = new Map<number, Partition>()
  for (const line of lines) {
    const place = partitionOf(line)
    const partition = partitions.get(place) ?? new Partition(of, (user, text) => (told[user] ??= []).push(text))
    partitions.set(place, partition)
    partition.take(line)
  }
  for (const partition of partitions.values())
    partition.fire(Number.POSITIVE_INFINITY, partition.highest - of.outOfOrdernessMs, true)
  const letters = [...partitions.values()].reduce((sum, each) => sum + each.letters, 0)
  return { told, letters }
}

/** What is in the topics, as `expectedCarts` says it. */
export const foundCarts = Effect.gen(function* () {
  const told: Record<string, Array<string>> = {}
  for (const { value } of yield* Effect.orElseSucceed(readAll("carts"), () => [])) {
    const of = JSON.parse(value) as typeof CartTold.Type // written by the job above
    ;(told[of.user] ??= []).push(of.told)
  }
  const letters = yield* Effect.orElseSucceed(readAll("dead-letter"), () => [])
  return { told, letters: letters.length } satisfies ExpectedCarts
})
