/**
 * What the keys of a pattern have open, on disk: a key's partial matches with the records that they took are one entry; when its
 * first partial match is over is one of a second store, by pieces of time.
 *
 * A key that has nothing open any more is an entry that is over at once, so that increments tell it. **Bounds**: the stores'; keys
 * that changed since the last delta; those that are due within one piece of time.
 */
import type { DiskStore } from "../flow/Node.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { type DueKeys, makeDueKeys, shareOfDue, sumOfCounts } from "../store/DueKeys.ts"
import { ExpiringMap } from "../store/ExpiringMap.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { type Deadline, deadlineOf, isOpen, type KeyMatches, makeKeyMatches } from "./KeyMatches.ts"
import { decodeKey, encodeKey, type EncodedKey } from "./PatternCodec.ts"
import type { PatternKeys } from "./PatternKeys.ts"
import type { PatternPlan } from "./PatternPlan.ts"

/** As the store has it: null, it is due at no time. */
type EncodedEntry = readonly [dueAt: number | null, key: EncodedKey]

const never = Number.POSITIVE_INFINITY
const atOnce = Number.NEGATIVE_INFINITY

const piecesPerWithin = 256
const pieceMsMin = 1000

export class StoredPatternKeys implements PatternKeys {
  private readonly plan: PatternPlan
  private readonly keys: ExpiringMap<KeyMatches>
  private readonly due: DueKeys
  /** Those that changed since the last delta. */
  private readonly changed = new Set<string>()
  /** Keys that were taken as due at one time, what began last first. */
  private taken: Array<string> = []
  private takenAt = never

  constructor(plan: PatternPlan, { open, store }: { readonly store: DiskStore; readonly open: OpenStore }) {
    this.plan = plan
    const share = shareOfDue(store.cacheBytesMax)
    this.keys = new ExpiringMap({
      name: plan.name,
      store: { cacheBytesMax: share.keys },
      open,
      encode: (keyed): EncodedEntry => [Number.isFinite(keyed.dueAt) ? keyed.dueAt : null, encodeKey(keyed)],
      decode: (encoded) => {
        const [dueAt, key] = encoded as EncodedEntry // made above
        return { ...decodeKey(key), dueAt: dueAt ?? never }
      }
    })
    const pieceMs = Math.max(pieceMsMin, Math.floor(plan.spec.withinMs / piecesPerWithin))
    this.due = makeDueKeys({ name: `${plan.name} due`, open, cacheBytesMax: share.due, pieceMs })
  }

  get(key: string): KeyMatches | undefined {
    const keyed = this.keys.get(key)
    return keyed !== undefined && isOpen(keyed) ? keyed : undefined
  }

  put(keyed: KeyMatches): void {
    this.changed.add(keyed.key)
    this.write(keyed)
  }

  private write(keyed: KeyMatches): void {
    const deadline = Number.isFinite(keyed.dueAt) ? undefined : deadlineOf(this.plan, keyed)
    if (deadline !== undefined) {
      keyed.dueAt = deadline.time
      this.due.add(keyed.key, deadline.time)
    }
    this.keys.set(keyed.key, keyed, isOpen(keyed) ? never : atOnce)
  }

  nextAt(): number {
    return this.taken.length > 0 ? this.takenAt : this.due.nextAt()
  }

  take(to: number, before: number): Deadline | undefined {
    for (;;) {
      const key = this.taken.pop()
      if (key === undefined) {
        if (!this.takeKeys(to, before)) return undefined
        continue
      }
      const keyed = this.dueNow(key)
      if (keyed === undefined) continue
      keyed.dueAt = never
      return { time: this.takenAt, id: 0, keyed }
    }
  }

  /** All that are due at the first time; whether there is one. */
  private takeKeys(to: number, before: number): boolean {
    const found = this.due.take(to, before)
    if (found === undefined) return false
    this.takenAt = found.at
    const turns = found.keys.flatMap((key): ReadonlyArray<readonly [key: string, turn: number]> => {
      const keyed = this.dueNow(key)
      return keyed === undefined ? [] : [[key, keyed.partials[0]?.start.turn ?? 0]]
    })
    this.taken = turns.sort(([, left], [, right]) => right - left).map(([key]) => key)
    return true
  }

  /** One that was put there for another time is passed over. */
  private dueNow(key: string): KeyMatches | undefined {
    const keyed = this.get(key)
    return keyed?.dueAt === this.takenAt ? keyed : undefined
  }

  tell(): ReadonlyArray<EncodedKey> {
    const told = Array.from(this.changed, (key): EncodedKey => {
      const entry = this.keys.told(key) as EncodedEntry | undefined // as it is encoded above
      // one that is over may have been dropped by a merge
      return entry === undefined ? encodeKey(makeKeyMatches(key)) : entry[1]
    })
    this.changed.clear()
    return told
  }

  capture(kind: CaptureKind, watermark: number, encode: (keys: ReadonlyArray<EncodedKey>) => unknown): Capture {
    return this.keys.capture(kind, watermark, (some) =>
      encode(some.map(([key, keyed]) => encodeKey(keyed ?? makeKeyMatches(key))))
    )
  }

  load(keys: ReadonlyArray<EncodedKey>): void {
    for (const each of keys) {
      const before = this.keys.get(each.key)
      if (isOpen(each)) {
        const keyed = decodeKey(each)
        // it is listed already
        if (before !== undefined && before.dueAt === deadlineOf(this.plan, keyed)?.time) keyed.dueAt = before.dueAt
        this.write(keyed)
      } else if (before !== undefined) this.write(makeKeyMatches(each.key))
    }
  }

  restored(): void {}

  size(): number {
    return this.keys.size
  }

  readonly stored = (): StoredCounts => sumOfCounts(this.keys.counts(), this.due.counts())

  readonly discard = (): void => {
    this.keys.close()
    this.due.close()
  }
}
