/**
 * What the keys of a pattern have open in one shard, and when the first partial match of each is over: in memory, or on disk
 * (`StoredPatternKeys.ts`).
 *
 * `PatternState` judges records against what it gets here, and puts back what changed.
 */
import { type Capture, type CaptureKind, ChangeList, inPieces } from "../state/Capture.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { type Deadline, deadlineOf, isOpen, type KeyMatches } from "./KeyMatches.ts"
import { decodeKey, encodeKey, type EncodedKey } from "./PatternCodec.ts"
import type { PatternPlan } from "./PatternPlan.ts"
import { StoredPatternKeys } from "./StoredPatternKeys.ts"
import { TimeQueue } from "./TimeQueue.ts"

export interface PatternKeys {
  /** What the key has open; whoever changes it calls `put` before the next call of any kind. */
  readonly get: (key: string) => KeyMatches | undefined
  /** It is kept as long as it has something, and looked at when its first partial match is over. */
  readonly put: (keyed: KeyMatches) => void
  /** Nothing is over before. */
  readonly nextAt: () => number
  /** Takes what is over first, if that is at `to` or earlier, and before `before`: of one time what began first. */
  readonly take: (to: number, before: number) => Deadline | undefined
  /** Those that changed since the last call. */
  readonly tell: () => ReadonlyArray<EncodedKey>
  readonly capture: (
    kind: CaptureKind,
    watermark: number,
    encode: (keys: ReadonlyArray<EncodedKey>) => unknown
  ) => Capture
  readonly load: (keys: ReadonlyArray<EncodedKey>) => void
  /** After the last `load`. */
  readonly restored: () => void
  readonly size: () => number
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

/** `open` makes the store of a pattern that is on disk; without it, it is in memory whatever is declared. */
export const makePatternKeys = (plan: PatternPlan, open: OpenStore | undefined): PatternKeys =>
  plan.store === undefined || open === undefined
    ? new KeysInMemory(plan)
    : new StoredPatternKeys(plan, { store: plan.store, open })

class KeysInMemory implements PatternKeys {
  private readonly plan: PatternPlan
  private readonly keys = new Map<string, KeyMatches>()
  private readonly deadlines = new TimeQueue<Deadline>()
  private changed: Array<KeyMatches> = []
  private readonly since = new ChangeList<KeyMatches>()

  constructor(plan: PatternPlan) {
    this.plan = plan
  }

  get(key: string): KeyMatches | undefined {
    return this.keys.get(key)
  }

  put(keyed: KeyMatches): void {
    if (!keyed.changed) {
      keyed.changed = true
      this.changed.push(keyed)
    }
    this.schedule(keyed)
    // one whose deadline is in the queue is kept, so that there is one deadline for each key that is kept
    if (Number.isFinite(keyed.dueAt)) this.keys.set(keyed.key, keyed)
    else this.keys.delete(keyed.key)
  }

  private schedule(keyed: KeyMatches): void {
    const deadline = Number.isFinite(keyed.dueAt) ? undefined : deadlineOf(this.plan, keyed)
    if (deadline === undefined) return
    keyed.dueAt = deadline.time
    this.deadlines.add(deadline)
  }

  nextAt(): number {
    return this.deadlines.first()?.time ?? Number.POSITIVE_INFINITY
  }

  take(to: number, before: number): Deadline | undefined {
    const first = this.deadlines.first()
    if (first === undefined || first.time > to || first.time >= before) return undefined
    first.keyed.dueAt = Number.POSITIVE_INFINITY
    return this.deadlines.shift()
  }

  tell(): ReadonlyArray<EncodedKey> {
    const { changed } = this
    this.changed = []
    for (const keyed of changed) {
      keyed.changed = false
      this.since.add(keyed)
    }
    return changed.map(encodeKey)
  }

  capture(kind: CaptureKind, _: number, encode: (keys: ReadonlyArray<EncodedKey>) => unknown): Capture {
    const since = this.since.take()
    const [keys, keysMax] = kind === "base" ? [this.keys.values(), this.keys.size] : [since, since.length]
    return inPieces(keys, keysMax, (some) => encode(some.map(encodeKey)))
  }

  load(keys: ReadonlyArray<EncodedKey>): void {
    for (const each of keys) {
      if (isOpen(each)) this.keys.set(each.key, decodeKey(each))
      else this.keys.delete(each.key)
    }
  }

  restored(): void {
    for (const keyed of this.keys.values()) this.schedule(keyed)
  }

  size(): number {
    return this.keys.size
  }
}
